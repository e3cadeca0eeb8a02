"""Keys, audit chains, outbox and idempotency."""

from api.migrations.sql import run_sql_beside

revision = "0001_journal"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
