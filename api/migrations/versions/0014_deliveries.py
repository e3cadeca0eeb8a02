"""Which handler has had which event, and dead letters."""

from api.migrations.sql import run_sql_beside

revision = "0014_deliveries"
down_revision = "0013_workflows"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
