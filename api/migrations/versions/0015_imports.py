"""Imports with their lines' errors."""

from api.migrations.sql import run_sql_beside

revision = "0015_imports"
down_revision = "0014_deliveries"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
