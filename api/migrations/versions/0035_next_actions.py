"""Advisors get suggestions of what to do next."""

from api.migrations.sql import run_sql_beside

revision = "0035_next_actions"
down_revision = "0034_score_models"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
