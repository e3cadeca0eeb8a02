"""Ingests in the background."""

from api.migrations.sql import run_sql_beside

revision = "0028_ingest_jobs"
down_revision = "0027_folded_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
