"""Tickets and hand-offs."""

from api.migrations.sql import run_sql_beside

revision = "0005_support"
down_revision = "0004_messaging"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
