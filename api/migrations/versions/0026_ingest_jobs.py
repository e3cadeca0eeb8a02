"""Ingests in the background."""

from api.migrations.sql import run_sql_beside

revision = "0026_ingest_jobs"
down_revision = "0025_search_projection"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
