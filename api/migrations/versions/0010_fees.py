"""Quotes, scholarship grants, attendance and certificates."""

from api.migrations.sql import run_sql_beside

revision = "0010_fees"
down_revision = "0009_seats"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
