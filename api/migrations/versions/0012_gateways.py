"""What gateways say and do, and reminders of what is due."""

from api.migrations.sql import run_sql_beside

revision = "0012_gateways"
down_revision = "0011_payments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
