"""Indices by age."""

from api.migrations.sql import run_sql_beside

revision = "0018_retention"
down_revision = "0017_indices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
