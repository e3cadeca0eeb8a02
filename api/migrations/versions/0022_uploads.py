"""Uploads that broke off are found by their age."""

from api.migrations.sql import run_sql_beside

revision = "0022_uploads"
down_revision = "0021_search_vectors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
