"""Read models."""

from api.migrations.sql import run_sql_beside

revision = "0016_analytics"
down_revision = "0015_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
