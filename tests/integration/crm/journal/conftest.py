"""The journal on a real database, and actors who leave records in it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from crm.actor import Actor
from crm.clock import FixedClock
from crm.db import Database, Pool, UnitOfWork, open_pool
from crm.ids import SubjectId, new_id
from crm.journal.audit import AuditEntry
from crm.journal.service import AuditRecord, JournalService
from crm.journal.vault import Vault

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


class Archive:
    """The journal over one database, and what tests ask of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.journal = JournalService(database)

    def entry(self, **facts: object) -> AuditEntry:
        """Return a record by a visitor in a conversation of their own, unless told otherwise."""
        facts = {
            "conversation_id": facts.get("chain_id"),
            "actor": Actor(SubjectId(new_id())),
            "action": "open_ticket",
            "effect": "WRITE",
            "outcome": "ok",
            "decision": "allowed",
            "chain_id": new_id(),
        } | facts
        return AuditEntry(**facts)  # type: ignore[arg-type]

    async def append(self, *entries: AuditEntry) -> None:
        """Append records in one transaction."""
        async with self.database.transaction() as uow:
            for entry in entries:
                uow.audit(entry)

    async def records(self, chain_id: UUID) -> list[AuditRecord]:
        """Return a chain's records, oldest first."""
        page = await self.journal.list_audit_events(
            {"conversation_id": chain_id}, cursor=None, limit=200
        )
        return sorted(page.items, key=lambda r: int(str(r.header["seq"])))

    async def write_area(self, uow: UnitOfWork, code: str) -> None:
        """Make some effect: a row in a table without any other meaning here."""
        await uow.conn.execute("INSERT INTO areas VALUES (%s, 'Nombre', 'Name')", [code])

    async def run(self, sql: str, *values: object) -> None:
        """Run a statement in a transaction of its own."""
        async with self.database.transaction() as uow:
            await uow.conn.execute(sql, list(values))  # type: ignore[arg-type]

    async def count(self, sql: str, *values: object) -> int:
        """Return the one number a query gives."""
        async with self.database.read() as conn:
            rows = await conn.execute(sql, list(values))  # type: ignore[arg-type]
            row = await rows.fetchone()
        return int(row["count"]) if row else 0


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="module")
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, max_size=12)
    yield pool
    await pool.close()


@pytest.fixture
def archive(pool: Pool, clock: FixedClock) -> Archive:
    return Archive(Database(pool, clock, Vault(bytes(range(32)))))
