"""Merges of people, the access log, erasures, contact preferences."""

from api.migrations.sql import run_sql_beside

revision = "0008_contact"
down_revision = "0007_pipeline"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
