"""Accounts, conversations and a mailbox on a real database."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from crm.actor import SERVICE_ACTOR, Role
from crm.clock import FixedClock
from crm.db import Database, Pool
from crm.identity.models import CreateStaff, StaffMember
from crm.identity.passwords import Passwords
from crm.identity.service import IdentityService
from crm.ids import new_id
from crm.journal.service import AuditRecord, JournalService
from crm.journal.vault import Vault
from crm.messaging.outbound.mailbox import MailboxTransport
from crm.messaging.outbound.service import OutboundService
from crm.people.contact.quiet import QuietHours
from crm.people.models import CreatePerson, Person
from crm.people.service import PeopleService
from tests.rows import Rows

PASSWORD = "correct horse battery"


class House(Rows):
    """The services over one database, and what tests ask of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.identity = IdentityService(
            database,
            staff_session=timedelta(hours=12),
            # The real algorithm with its cheapest parameters.
            passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
        )
        self.people = PeopleService(database)
        self.mailbox = MailboxTransport(database)
        self.outbound = OutboundService(database, self.mailbox, quiet=QuietHours())
        self.journal = JournalService(database)
        self._count = 0

    async def new_staff(
        self, *, role: Role = Role.ADVISOR, totp_secret: str | None = None
    ) -> StaffMember:
        """Open an account with `PASSWORD`."""
        self._count += 1
        command = CreateStaff(
            email=f"{new_id()}@andino.example",
            name=f"Lucía {'Rojas ' * self._count}"[:100],
            role=role,
            password=PASSWORD,
            totp_secret=totp_secret,
        )
        return await self.identity.create_staff(command, actor=SERVICE_ACTOR)

    async def new_person(self, phone: str | None = None) -> Person:
        """Add somebody with an e-mail address of their own."""
        command = CreatePerson(
            full_name="Ana Pérez", email=f"{new_id()}@correo.example", phone=phone
        )
        return await self.people.create_person(command, actor=SERVICE_ACTOR)

    async def mail_to(self, address: str) -> list[str]:
        """Deliver what is due and return the bodies sent to an address, oldest first."""
        while await self.outbound.deliver_due():
            pass
        page = await self.mailbox.list_mailbox(cursor=None, limit=200)
        return [mail.body for mail in reversed(page.items) if mail.recipient == address]

    async def code_sent_to(self, address: str) -> str:
        """Return the last code that an address got."""
        words = (await self.mail_to(address))[-1].replace(".", " ").split()
        return next(word for word in words if len(word) == 6 and word.isdigit())

    async def audits(self, action: str, **filters: object) -> list[AuditRecord]:
        """Return audit records, newest first."""
        page = await self.journal.list_audit_events(
            {"action": action, **filters}, cursor=None, limit=200
        )
        return list(page.items)


@pytest.fixture
def house(pool: Pool, clock: FixedClock) -> House:
    return House(Database(pool, clock, Vault(bytes(32))))


@pytest.fixture
def password() -> str:
    return PASSWORD
