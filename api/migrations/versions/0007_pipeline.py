"""Leads, stages, activities, tasks, assignment and SLA clocks."""

from api.migrations.sql import run_sql_beside

revision = "0007_pipeline"
down_revision = "0006_retrieval"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_beside(__file__)
