"""The journal on a real database, and actors who leave records in it."""

from uuid import UUID

import pytest

from crm.actor import Actor
from crm.clock import FixedClock
from crm.db import Database, Pool, UnitOfWork
from crm.ids import SubjectId, new_id
from crm.journal.audit import AuditEntry
from crm.journal.service import AuditRecord, JournalService
from crm.journal.vault import Vault
from tests.rows import Rows


class Archive(Rows):
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


@pytest.fixture
def archive(pool: Pool, clock: FixedClock) -> Archive:
    return Archive(Database(pool, clock, Vault(bytes(range(32)))))
