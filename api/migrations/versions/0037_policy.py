"""The policy has versions."""

from api.migrations.sql import run_sql_beside

revision = "0037_policy"
down_revision = "0036_held_calls"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
