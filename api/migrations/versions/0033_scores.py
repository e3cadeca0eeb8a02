"""Scores say where they come from, and which leads wait for a new one."""

from api.migrations.sql import run_sql_beside

revision = "0033_scores"
down_revision = "0032_course_dismissals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
