"""The catalogue: programmes, courses, cohorts, enrolments."""

from api.migrations.sql import run_sql_beside

revision = "0003_courses"
down_revision = "0002_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
