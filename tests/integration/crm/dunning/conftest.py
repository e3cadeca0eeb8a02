"""Invoices that fall due, and whoever reminds people of them, on a real database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crm.actor import SERVICE_ACTOR
from crm.clock import FixedClock
from crm.courses.service import CourseService
from crm.db import Database, Pool
from crm.ids import PersonId, new_id
from crm.journal.vault import Vault
from crm.messaging.outbound.mailbox import MailboxTransport
from crm.messaging.outbound.service import OutboundService
from crm.payments import store
from crm.payments.dunning.models import TEMPLATES, Schedule
from crm.payments.dunning.service import DunningPolicy, DunningService
from crm.people.contact.quiet import QuietHours
from tests.integration.crm.conftest import NOW
from tests.integration.crm.courses.conftest import PYTHON, Catalogue
from tests.integration.crm.payments.conftest import NAME, Till

if TYPE_CHECKING:
    from crm.courses.models import Cohort
    from crm.payments.invoices.models import Invoice


class Collector(Till):
    """Has invoices, reminds people of them, and reads what reached them."""

    cohort: Cohort

    def __init__(self, database: Database, clock: FixedClock) -> None:
        super().__init__(database, clock)
        policy = DunningPolicy(
            gateway=NAME,
            base_url="http://andino.example",
            institution="Instituto Andino",
            time_zone="America/Lima",
            schedule=Schedule(),
            quiet=QuietHours(),
        )
        self.dunning = DunningService(database, policy)
        self.outbound = OutboundService(
            database,
            MailboxTransport(database),
            quiet=policy.quiet,
            checks=dict.fromkeys(TEMPLATES, self.dunning.check_sending),
        )

    async def new_payer(self, *, consents: bool = True) -> PersonId:
        """Add somebody with an e-mail address who agreed to service messages."""
        person_id = await self.new_person()
        await self.execute(
            "UPDATE people SET email = %s WHERE id = %s", f"{person_id}@correo.example", person_id
        )
        if consents:
            await self.consent(person_id, granted=True)
        return person_id

    async def consent(self, person_id: PersonId, *, granted: bool) -> None:
        """Record what somebody says of service messages by e-mail."""
        await self.execute(
            "INSERT INTO consents (id, person_id, channel, purpose, granted, source, "
            "text_version, recorded_at) VALUES (%s, %s, 'email', 'service', %s, 'test', '1', %s)",
            *(new_id(), person_id, granted, self.clock.now()),
        )

    async def opt_out(self, person_id: PersonId) -> None:
        """Want no e-mail any more."""
        await self.execute(
            "INSERT INTO contact_preferences (person_id, opted_out, updated_at) "
            "VALUES (%s, '{email}', %s)",
            *(person_id, self.clock.now()),
        )

    async def owed(self, *days: int, consents: bool = True) -> Invoice:
        """Raise an invoice of 300 soles, due on these days from today."""
        payer = await self.new_payer(consents=consents)
        return await self.invoice(30_000, *days, person_id=payer)

    async def pay(self, invoice: Invoice, amount: int, *kinds: str) -> None:
        """Take money by the payment that is under way, or else by a new one."""
        async with self.database.read() as conn:
            begun = await store.select_payments_of(conn, invoice.id)
        live = next((payment for payment in begun if payment.is_live), None)
        payment = live or await self.begin(invoice, amount)
        for kind in kinds or ("completed",):
            await self.tell(payment, kind, payment.amount.amount_minor)

    async def promise(self, invoice: Invoice, days: int) -> None:
        """Promise to pay within so many days."""
        until = (self.clock.now() + timedelta(days=days)).date()
        await self.dunning.pause(invoice.id, until, reason="promise", actor=SERVICE_ACTOR)

    async def leave(self, invoice: Invoice) -> None:
        """Leave the course that an invoice is for; what follows of it is stuck."""
        now, saga_id = self.clock.now(), new_id()
        await self.execute(
            "INSERT INTO sagas (id, kind, status, step, person_id, cohort_id, invoice_id, "
            "deadline, effect_key, version, parked_at, created_at, updated_at) "
            "VALUES (%s, 'withdrawal', 'running', 'withdraw', %s, %s, %s, %s, %s, 1, %s, %s, %s)",
            *(saga_id, invoice.person_id, self.cohort.id, invoice.id),
            *(now, str(saga_id), now, now, now),
        )

    async def remind(self) -> None:
        """Queue every reminder that is due."""
        while await self.dunning.send_reminders():
            pass

    async def send(self) -> None:
        """Send every message that is due."""
        while await self.outbound.deliver_due():
            pass

    async def mails(self, invoice: Invoice) -> list[tuple[str, str]]:
        """Return subject and body of what reached an invoice's payer."""
        async with self.database.read() as conn:
            rows = await conn.execute(
                "SELECT subject, body FROM mailbox_messages WHERE recipient = %s ORDER BY id",
                [f"{invoice.person_id}@correo.example"],
            )
            return [(row["subject"], row["body"]) for row in await rows.fetchall()]

    async def codes(self, invoice: Invoice) -> list[str | None]:
        """Return why an invoice's reminders did not leave."""
        found = await self.dunning.get_dunning(invoice.id, actor=SERVICE_ACTOR)
        return [reminder.code for reminder in found.reminders]


@pytest.fixture
async def collector(pool: Pool) -> Collector:
    clock = FixedClock(NOW)
    made = Collector(Database(pool, clock, Vault(bytes(32))), clock)
    await made.execute(
        "INSERT INTO areas VALUES ('PRG', 'Programación', 'Code') ON CONFLICT DO NOTHING"
    )
    courses = CourseService(made.database, time_zone="America/Lima")
    await courses.upsert_course(PYTHON, actor=SERVICE_ACTOR)
    made.cohort = await Catalogue(made.database, courses).open_cohort(
        code=f"PRG-{new_id().hex[-10:].upper()}"
    )
    # What other tests left behind would be reminded of, too.
    await made.execute("UPDATE invoices SET next_due_on = NULL")
    return made
