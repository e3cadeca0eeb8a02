"""Titles complete by their beginnings; recommenders have a place."""

from api.migrations.sql import run_sql_beside

revision = "0029_course_finding"
down_revision = "0028_ingest_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
