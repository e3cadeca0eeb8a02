"""Trained scores have a place."""

from api.migrations.sql import run_sql_beside

revision = "0034_score_models"
down_revision = "0033_scores"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
