"""The benchmarks' SQL: what PostgreSQL tells about itself."""

from typing import Any

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]


def _one(connection: Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def select_other_sessions(connection: Connection) -> int:
    """Return how many clients beside this one are connected to the server."""
    return int(
        _one(
            connection,
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        )
    )


def select_session_pids(connection: Connection) -> list[int]:
    """Return the processes of this database's sessions, but for this one's."""
    rows = connection.execute(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
        " AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    return [pid for (pid,) in rows.fetchall()]


def select_wal_bytes(connection: Connection) -> float:
    """Return the bytes of write-ahead log ever written."""
    return float(_one(connection, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))


def select_wal_fsyncs(connection: Connection, *, by_sessions: bool) -> float:
    """Return how often the write-ahead log was flushed to the disk.

    Args:
        by_sessions: by those that clients use; otherwise by the server's own processes.
    """
    row = connection.execute(
        "SELECT coalesce(sum(fsyncs), 0) FROM pg_stat_io"
        " WHERE object = 'wal' AND (backend_type = 'client backend') = %s",
        [by_sessions],
    ).fetchone()
    return float(row[0]) if row else 0.0


def select_stored_bytes(connection: Connection) -> float:
    """Return the bytes of this database's own tables, indexes included."""
    return float(
        _one(
            connection,
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r' AND n.nspname = 'public'",
        )
    )


def enable_statements(connection: Connection) -> None:
    """Create the view on statements where the server has it loaded."""
    if "pg_stat_statements" in str(_one(connection, "SHOW shared_preload_libraries")):
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


def select_statements(connection: Connection) -> float | None:
    """Return how many statements were executed, BEGIN and COMMIT included; None if not counted."""
    if _one(connection, "SELECT to_regclass('pg_stat_statements')") is None:
        return None
    return float(_one(connection, "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements"))


def checkpoint(connection: Connection) -> None:
    """Write out everything, so that no automatic checkpoint falls into a measurement."""
    connection.execute("CHECKPOINT")


def stop_autovacuum(connection: Connection) -> None:
    """Keep the server from tidying up in the middle of a count; only for one of our own."""
    connection.execute("ALTER SYSTEM SET autovacuum = off")
    connection.execute("SELECT pg_reload_conf()")
