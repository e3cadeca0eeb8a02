"""A file to import is kept whole or not at all."""

from api.migrations.sql import run_sql_beside

revision = "0031_whole_uploads"
down_revision = "0030_appointments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
