"""The database: one pool, and the unit of work that commits a change with all its records."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import PipelineStatus
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from crm.clock import Clock
from crm.errors import Unavailable
from crm.journal import store as journal
from crm.journal.audit import AuditEntry
from crm.journal.events import DomainEvent
from crm.journal.leavings import store as leavings
from crm.journal.leavings.models import Kept
from crm.journal.vault import SubjectKey, Vault

Connection = AsyncConnection[DictRow]
Pool = AsyncConnectionPool[Connection]


class UnitOfWork:
    """One transaction: rows, events and audit records commit together or not at all.

    Args:
        conn: inside an open transaction.
    """

    def __init__(self, conn: Connection, clock: Clock, vault: Vault) -> None:
        self.conn = conn
        self.clock = clock
        self._vault = vault
        self._events: list[DomainEvent] = []
        self._entries: list[AuditEntry] = []
        self._kept: list[Kept] = []
        self._keys: dict[UUID, SubjectKey | None] = {}
        self._expected: set[UUID] = set()

    def expect(self, subject: UUID) -> None:
        """Read a subject's key together with the next one, and not by itself later."""
        self._expected.add(subject)

    async def keys(self, subjects: Iterable[UUID]) -> Mapping[UUID, SubjectKey | None]:
        """Return the subjects' keys, made where there is none yet, read once a transaction.

        Returns: None for a subject whose key was destroyed.
        """
        wanted = set(subjects)
        if wanted - self._keys.keys():
            missing = (wanted | self._expected) - self._keys.keys()
            self._keys |= await journal.ensure_keys(
                self.conn, missing, vault=self._vault, at=self.clock.now()
            )
        return {subject: self._keys[subject] for subject in wanted}

    async def key(self, subject: UUID) -> SubjectKey | None:
        """Return one subject's key, as `keys`."""
        return (await self.keys([subject]))[subject]

    def publish(self, event: DomainEvent) -> None:
        """Add an event to the outbox when this commits."""
        self._events.append(event)

    def audit(self, entry: AuditEntry) -> None:
        """Append a record to its chain when this commits."""
        self._entries.append(entry)

    def keep(self, result: Kept) -> None:
        """Keep under its key what a call returned when this commits."""
        self._kept.append(result)

    async def flush(self) -> None:
        """Write what was published, audited and kept; called once, just before the commit."""
        keys = await self.keys(s for entry in self._entries for s in entry.subjects)
        await leavings.leave(
            self.conn,
            events=self._events,
            entries=self._entries,
            kept=self._kept,
            keys=keys,
            at=self.clock.now(),
        )


class Database:
    """Hands out transactions from a small pool.

    Args:
        pool: opened by the composition root with `dict_row`.
    """

    def __init__(self, pool: Pool, clock: Clock, vault: Vault) -> None:
        self.pool = pool
        self.clock = clock
        self.vault = vault

    @asynccontextmanager
    async def transaction(self, *, durable: bool = True) -> AsyncIterator[UnitOfWork]:
        """Open a unit of work that commits at the end of the block.

        Args:
            durable: False lets the commit return before the disk has it; only for rows whose loss
                costs a retry (leases), never for data.
        Raises: Unavailable("database"): no connection could be had.
        """
        async with self._borrow() as conn, conn.transaction():
            if not durable:
                await conn.execute("SET LOCAL synchronous_commit = off")
            uow = UnitOfWork(conn, self.clock, self.vault)
            yield uow
            await uow.flush()

    @asynccontextmanager
    async def audited_read(self) -> AsyncIterator[UnitOfWork]:
        """Open a unit of work that only reads, and records it before the block is left.

        There is no transaction around it: each statement reads what is committed, as in one, and
        the records are one statement. A read that fails, or whose record does, shows nothing.

        Raises: Unavailable("database"): no connection could be had.
        """
        async with self._borrow() as conn:
            uow = UnitOfWork(conn, self.clock, self.vault)
            yield uow
            await uow.flush()

    def read(self) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection for reading; nothing is committed.

        Raises: Unavailable("database"): no connection could be had.
        """
        return self._borrow()

    @asynccontextmanager
    async def _borrow(self) -> AsyncIterator[Connection]:
        # As `pool.connection()` does, but for a commit: outside a transaction there is none.
        try:
            conn = await self.pool.getconn()
            try:
                yield conn
            finally:
                await self.pool.putconn(conn)
        except psycopg.OperationalError as broken:
            raise Unavailable("database", "The database does not answer.") from broken


class ConnectionPool(AsyncConnectionPool[Connection]):
    """A pool that takes back no connection that miscounts rows.

    A reset function could refuse it, too, but makes a task of every return.
    """

    async def putconn(self, conn: Connection) -> None:
        """Take a connection back, and end it if a cancelled borrower left it in pipeline mode."""
        if conn.pgconn.pipeline_status != PipelineStatus.OFF:
            await conn.close()
        await super().putconn(conn)


async def open_pool(database_url: str, *, min_size: int = 2, max_size: int = 8) -> Pool:
    """Open a pool of autocommit connections that return rows as dicts.

    Raises: Unavailable("database"): the server does not answer within 10 s.
    """
    kwargs: dict[str, Any] = {"autocommit": True, "row_factory": dict_row}
    pool = ConnectionPool(
        database_url, min_size=min_size, max_size=max_size, kwargs=kwargs, open=False
    )
    try:
        await pool.open(wait=True, timeout=10)
    except psycopg.errors.Error as broken:
        await pool.close()
        raise Unavailable("database", "The database does not answer.") from broken
    return pool
