"""Documents, chunks with full text and vectors, and what scoring needs to know of them."""

from api.migrations.sql import run_sql_beside

revision = "0006_retrieval"
down_revision = "0005_support"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
