"""Outbound messages on a real database, with a transport that can be told to fail."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from crm.clock import FixedClock
from crm.db import Database, Pool
from crm.ids import SubjectId, new_id
from crm.journal.service import JournalService
from crm.journal.vault import Vault
from crm.messaging.outbound.mailbox import MailboxTransport
from crm.messaging.outbound.models import OutboundIntent, RenderedMessage
from crm.messaging.outbound.service import OutboundService, queue_outbound
from tests.rows import Rows


class RecordingTransport:
    """Remembers what it was given; `behave` runs first and may raise."""

    def __init__(self) -> None:
        self.sent: list[RenderedMessage] = []
        self.behave: Callable[[RenderedMessage], Awaitable[None]] | None = None

    async def send(self, mail: RenderedMessage) -> None:
        """Take a message."""
        if self.behave is not None:
            await self.behave(mail)
        self.sent.append(mail)


class PostOffice(Rows):
    """The service over one database, and what tests ask of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.transport = RecordingTransport()
        self.outbound = OutboundService(database, self.transport)
        self.mailbox = MailboxTransport(database)
        self.journal = JournalService(database)

    def intent(self, **facts: object) -> OutboundIntent:
        """Return an intent to send a code, unless told otherwise."""
        usual: dict[str, Any] = {
            "effect_key": str(new_id()),
            "channel": "email",
            "basis": "security_code",
            "person_id": None,
            "template": "verification_code",
            "locale": "es",
            "recipient": "ana@correo.example",
            "subject_id": SubjectId(new_id()),
            "params": {"code": "123456", "minutes": "10", "institution": "Instituto Andino"},
        }
        return OutboundIntent(**{**usual, **facts})

    async def queue(self, *intents: OutboundIntent) -> None:
        """Queue intents in one transaction."""
        async with self.database.transaction() as uow:
            for intent in intents:
                await queue_outbound(uow, intent)

    async def state_of(self, intent: OutboundIntent) -> tuple[str, str | None, dict[str, str]]:
        """Return status, error and what is still sealed."""
        async with self.database.read() as conn:
            rows = await conn.execute(
                "SELECT status, error_code, sealed FROM outbound_messages WHERE effect_key = %s",
                [intent.effect_key],
            )
            row = await rows.fetchone()
        assert row is not None
        return row["status"], row["error_code"], row["sealed"]

    async def outcomes_of(self, intent: OutboundIntent) -> list[tuple[object, object]]:
        """Return outcome and error of the audit records of an intent, oldest first."""
        page = await self.journal.list_audit_events(
            {"action": "outbound.send"}, cursor=None, limit=200
        )
        key = f"outbound:{intent.effect_key}"
        return [
            (r.header["outcome"], r.header["error_code"])
            for r in reversed(page.items)
            if r.header["effect_key"] == key
        ]


@pytest.fixture
async def office(pool: Pool, clock: FixedClock) -> AsyncIterator[PostOffice]:
    office = PostOffice(Database(pool, clock, Vault(bytes(32))))
    yield office
    async with office.database.transaction() as uow:
        await uow.conn.execute("DELETE FROM outbound_messages")
        await uow.conn.execute("DELETE FROM mailbox_messages")
