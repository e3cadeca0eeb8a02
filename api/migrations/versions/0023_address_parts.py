"""Addresses are found by their parts."""

from api.migrations.sql import run_sql_beside

revision = "0023_address_parts"
down_revision = "0022_uploads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
