"""Names are folded once, when they are written."""

from api.migrations.sql import run_sql_beside

revision = "0027_folded_names"
down_revision = "0026_records"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
