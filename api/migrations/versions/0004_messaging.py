"""Conversations, messages, turns, confirmations."""

from api.migrations.sql import run_sql_beside

revision = "0004_messaging"
down_revision = "0003_courses"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
