"""Runs the plain SQL file beside a revision."""

from pathlib import Path

from alembic import op


def run_sql_beside(revision_file: str) -> None:
    """Execute the `.sql` file named like the revision, inside its transaction."""
    sql = Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8")
    connection = op.get_bind().connection.driver_connection
    # The driver's own cursor: the file holds several statements and no parameters.
    connection.execute(sql)  # type: ignore[union-attr]
