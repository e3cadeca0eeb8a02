"""Invoices, instalments, payment events and the ledger."""

from api.migrations.sql import run_sql_beside

revision = "0011_payments"
down_revision = "0010_fees"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
