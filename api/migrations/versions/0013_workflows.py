"""Sagas and their steps."""

from api.migrations.sql import run_sql_beside

revision = "0013_workflows"
down_revision = "0012_gateways"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
