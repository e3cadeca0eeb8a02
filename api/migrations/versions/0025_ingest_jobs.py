"""Ingests in the background."""

from api.migrations.sql import run_sql_beside

revision = "0025_ingest_jobs"
down_revision = "0024_search_counts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
