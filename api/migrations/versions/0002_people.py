"""Staff, people and consents."""

from api.migrations.sql import run_sql_beside

revision = "0002_people"
down_revision = "0001_journal"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
