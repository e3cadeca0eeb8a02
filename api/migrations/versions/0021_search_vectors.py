"""Vectors in a table of their own, of any size and of several embedders."""

from api.migrations.sql import run_sql_beside

revision = "0021_search_vectors"
down_revision = "0020_returned_grants"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
