"""Grants go back to their funds in part."""

from api.migrations.sql import run_sql_beside

revision = "0020_returned_grants"
down_revision = "0019_validity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
