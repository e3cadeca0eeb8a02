"""Courses that somebody does not want to hear of again."""

from api.migrations.sql import run_sql_beside

revision = "0032_course_dismissals"
down_revision = "0031_whole_uploads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
