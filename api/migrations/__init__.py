"""The history of the schema: Alembic revisions in plain SQL, forward only."""
