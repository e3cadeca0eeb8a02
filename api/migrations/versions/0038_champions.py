"""A recommender serves only while it is the champion."""

from api.migrations.sql import run_sql_beside

revision = "0038_champions"
down_revision = "0037_policy"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
