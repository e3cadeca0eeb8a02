"""Outbound messages on a real database, with a transport that can be told to fail."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date

import pytest

from crm.actor import SERVICE_ACTOR
from crm.clock import FixedClock
from crm.db import Database, Pool
from crm.ids import PersonId, new_id
from crm.journal.service import JournalService
from crm.journal.vault import Vault
from crm.messaging.outbound.mailbox import MailboxTransport
from crm.messaging.outbound.models import OutboundIntent, RefusedIntent, RenderedMessage
from crm.messaging.outbound.proof import ContactProof, prove_contact
from crm.messaging.outbound.service import OutboundService, queue_outbound
from crm.people.contact.models import Basis, Channel, ContactPreferences
from crm.people.contact.quiet import QuietHours
from crm.people.contact.service import PreferenceService
from crm.people.models import ConsentPurpose, CreatePerson, GiveConsent, Locale, Person
from crm.people.service import PeopleService
from tests.rows import Rows

USUAL = QuietHours()


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

    def __init__(self, database: Database, quiet: QuietHours = USUAL) -> None:
        self.database = database
        self.transport = RecordingTransport()
        self.quiet = quiet
        self.outbound = OutboundService(database, self.transport, quiet=quiet)
        self.mailbox = MailboxTransport(database)
        self.journal = JournalService(database)
        self.people = PeopleService(database)
        self.preferences = PreferenceService(database)

    async def new_person(
        self,
        *,
        locale: Locale = "es",
        phone: str | None = None,
        birth_date: date | None = None,
        guardian_id: PersonId | None = None,
        time_zone: str = "America/Lima",
    ) -> Person:
        """Add somebody with an e-mail address of their own."""
        command = CreatePerson(
            full_name="Ana Pérez",
            email=f"{new_id()}@correo.example",
            locale=locale,
            phone=phone,
            birth_date=birth_date,
            guardian_id=guardian_id,
            time_zone=time_zone,
        )
        return await self.people.create_person(command, actor=SERVICE_ACTOR)

    async def prove(
        self,
        person_id: PersonId,
        basis: Basis,
        *,
        channel: Channel | None = "email",
        purpose: ConsentPurpose | None = None,
    ) -> ContactProof:
        """Prove that somebody may be written to."""
        async with self.database.transaction() as uow:
            return await prove_contact(
                uow,
                person_id=person_id,
                basis=basis,
                channel=channel,
                purpose=purpose,
                quiet=self.quiet,
            )

    async def intent(
        self,
        basis: Basis = "security_code",
        *,
        person: Person | None = None,
        purpose: ConsentPurpose | None = None,
        effect_key: str | None = None,
    ) -> OutboundIntent:
        """Return an intent to send a code to somebody new, unless told otherwise."""
        person = person or await self.new_person()
        return OutboundIntent(
            effect_key=effect_key or str(new_id()),
            proof=await self.prove(person.id, basis, purpose=purpose),
            template="verification_code",
            params={"code": "123456", "minutes": "10", "institution": "Instituto Andino"},
        )

    async def consent(
        self,
        person: Person,
        *,
        granted: bool = True,
        purpose: ConsentPurpose = "marketing",
        guardian_id: PersonId | None = None,
    ) -> None:
        """Record a consent to e-mail."""
        command = GiveConsent(
            person_id=person.id,
            channel="email",
            purpose=purpose,
            granted=granted,
            source="staff",
            text_version="1",
            guardian_id=guardian_id,
        )
        await self.people.record_consent(command, actor=SERVICE_ACTOR)

    async def opt_out(self, person: Person, *channels: Channel) -> None:
        """Let somebody refuse channels."""
        wished = ContactPreferences(opted_out=frozenset(channels))
        await self.preferences.set_preferences(person.id, wished, actor=SERVICE_ACTOR)

    async def drain(self) -> None:
        """Deliver all that is due."""
        while await self.outbound.deliver_due():
            pass

    async def queue(self, *intents: OutboundIntent) -> None:
        """Queue intents in one transaction."""
        async with self.database.transaction() as uow:
            for intent in intents:
                await queue_outbound(uow, intent)

    async def state_of(
        self, intent: OutboundIntent | RefusedIntent
    ) -> tuple[str, str | None, dict[str, str]]:
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
