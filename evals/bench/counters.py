"""What a server has done so far, as PostgreSQL counts it."""

import time
from dataclasses import asdict, dataclass

import psycopg

from crm.errors import Unavailable
from evals.bench import store

#: Sessions report what they did when they end; they end a moment after they were closed.
_PATIENCE_S = 10.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Counters:
    """Totals since some moment in the past.

    Args:
        fsyncs: of the write-ahead log, by the sessions themselves.
        background_fsyncs: by the server's own processes, every 200 ms while lazy commits come in.
        statements: None where pg_stat_statements is not loaded.
        stored_bytes: tables and indexes of one database.
    """

    wal_bytes: float
    fsyncs: float
    background_fsyncs: float
    stored_bytes: float
    statements: float | None

    def known(self) -> dict[str, float]:
        """Return the totals that the server gives."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def read_counters(url: str) -> Counters:
    """Return the totals once no session but this one is left.

    Args:
        url: of the database whose stored bytes are counted.
    Raises: Unavailable("bench.busy"): sessions stay open.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        deadline = time.monotonic() + _PATIENCE_S
        while store.select_other_sessions(connection):
            if time.monotonic() > deadline:
                raise Unavailable("bench.busy", "Others use this server: counts would be theirs.")
            time.sleep(_POLL_S)
        return Counters(
            wal_bytes=store.select_wal_bytes(connection),
            fsyncs=store.select_wal_fsyncs(connection, by_sessions=True),
            background_fsyncs=store.select_wal_fsyncs(connection, by_sessions=False),
            stored_bytes=store.select_stored_bytes(connection),
            statements=store.select_statements(connection),
        )


def prepare_counters(url: str) -> None:
    """Let the server count statements, if it can, and write out what earlier work left."""
    with psycopg.connect(url, autocommit=True) as connection:
        store.enable_statements(connection)
        store.checkpoint(connection)


def calm(url: str) -> None:
    """Keep a server of our own from doing anything but what is counted."""
    with psycopg.connect(url, autocommit=True) as connection:
        store.stop_autovacuum(connection)
