"""Seat holds, waitlists, and what an enrolment goes through."""

from api.migrations.sql import run_sql_beside

revision = "0009_seats"
down_revision = "0008_contact"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
