"""Advisors offer hours, and people book them."""

from api.migrations.sql import run_sql_beside

revision = "0030_appointments"
down_revision = "0029_course_finding"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
