"""Calls that wait for an advisor's approval stand in the queue of suggestions."""

from api.migrations.sql import run_sql_beside

revision = "0036_held_calls"
down_revision = "0035_next_actions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
