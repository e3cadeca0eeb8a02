"""Advisors offer hours, and people book them."""

from api.migrations.sql import run_sql_beside

revision = "0031_appointments"
down_revision = "0030_whole_uploads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
