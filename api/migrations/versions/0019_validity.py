"""The days on which a document holds."""

from api.migrations.sql import run_sql_beside

revision = "0019_validity"
down_revision = "0018_retention"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
