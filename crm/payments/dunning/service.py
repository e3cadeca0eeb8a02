"""Reminds people of what is due, and lets advisors pause that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from crm.actor import SERVICE_ACTOR, Actor
from crm.clock import day_in
from crm.db import Database, UnitOfWork
from crm.errors import NotFound, OrientaError, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import new_id
from crm.journal.audit import AuditEntry, performed
from crm.journal.idempotency import IdempotencyKey
from crm.messaging.outbound.models import OutboundIntent
from crm.messaging.outbound.proof import ContactProof, prove_contact
from crm.messaging.outbound.service import queue_outbound
from crm.once import run_once
from crm.payments import store as payments
from crm.payments.dunning import store
from crm.payments.dunning.events import DunningPaused, DunningResumed, PaymentReminderQueued
from crm.payments.dunning.models import (
    Candidate,
    Pause,
    Reminder,
    ReminderStatus,
    Schedule,
    check_remindable,
    template_of,
)
from crm.payments.dunning.wording import amount_in_words, day_in_words
from crm.payments.invoices import store as invoices
from crm.payments.invoices.models import CoveredInstalment, Invoice
from crm.payments.links.acts import make_link
from crm.payments.models import InvoiceId
from crm.payments.taking import locked_invoice
from crm.people.contact.models import ContactRefused
from crm.people.contact.quiet import QuietHours
from crm.people.reads import record_read

#: A promise further away than this is not a promise to pay.
MAX_PAUSE_DAYS = 180


@dataclass(frozen=True, slots=True)
class Dunning:
    """An invoice's reminders and its pause, if it has one."""

    reminders: tuple[Reminder, ...]
    pause: Pause | None


@dataclass(frozen=True, slots=True)
class DunningPolicy:
    """How this institution reminds people.

    Args:
        gateway: that the payment links lead to.
        base_url: where they begin.
        time_zone: whose days count.
    """

    gateway: str
    base_url: str
    institution: str
    time_zone: str
    schedule: Schedule
    quiet: QuietHours


class DunningService:
    """Sends reminders when they are due; any number of processes may do so at once."""

    def __init__(self, database: Database, policy: DunningPolicy) -> None:
        self._db = database
        self._policy = policy

    async def send_reminders(self, limit: int = 50) -> int:
        """Queue the reminders that are due, and return how many were looked at."""
        now = self._db.clock.now()
        async with self._db.read() as conn:
            due = await store.select_candidates(
                conn,
                self._policy.schedule.windows(self._today()),
                today=self._today(),
                at=now,
                limit=limit,
            )
        for candidate in due:
            try:
                async with self._db.transaction() as uow:
                    await self._remind(uow, candidate)
            except OrientaError as failure:  # one that cannot be sent holds up no other
                await self._give_up(candidate, failure)
        return len(due)

    async def _give_up(self, candidate: Candidate, failure: OrientaError) -> None:
        async with self._db.transaction() as uow:
            invoice = await locked_invoice(uow, candidate.invoice_id)
            if await store.claim_reminder(uow.conn, candidate, at=uow.clock.now()):
                await self._refuse(uow, candidate, invoice, failure)

    async def check_sending(self, uow: UnitOfWork, effect_key: str) -> None:
        """Let a reminder leave only if it is still called for at this moment.

        Raises: RuleBroken: as `check_remindable`.
        """
        candidate = await store.select_candidate(uow.conn, effect_key)
        if candidate is None:
            raise RuleBroken("dunning.unknown", "There is no such reminder.")
        invoice = await locked_invoice(uow, candidate.invoice_id)
        await self._check(uow, invoice, candidate.number)

    async def get_dunning(self, invoice_id: InvoiceId, *, actor: Actor) -> Dunning:
        """Return an invoice's reminders and its pause; the reading is audited.

        Raises: NotFound("invoice.unknown"), Denied("auth.role").
        """
        require(actor, Area.PAYMENTS)
        async with self._db.audited_read() as uow:
            invoice = await _invoice(uow, invoice_id)
            record_read(uow, "dunning.get", actor=actor, people=[invoice.person_id])
            return Dunning(
                tuple(await store.select_reminders(uow.conn, invoice_id)),
                await store.select_pause(uow.conn, invoice_id),
            )

    async def pause(
        self,
        invoice_id: InvoiceId,
        until: date,
        *,
        reason: str,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Pause:
        """Remind nobody of an invoice up to and on a day; a later word replaces an earlier one.

        Raises: RuleBroken("dunning.pause_until"), NotFound("invoice.unknown"),
            Denied("auth.role").
        """
        require(actor, Area.PAYMENTS, write=True)
        days = (until - self._today()).days
        if not 0 <= days <= MAX_PAUSE_DAYS:
            raise RuleBroken("dunning.pause_until", "Give a day within the next 180.")
        said = {"invoice_id": invoice_id, "until": until, "reason": reason}
        return await run_once(
            self._db,
            idempotency,
            said,
            lambda uow: self._pause(uow, invoice_id, until, reason=reason, actor=actor),
            kind=Pause,
        )

    async def resume(self, invoice_id: InvoiceId, *, actor: Actor) -> None:
        """Remind people of an invoice again; nothing when it is not paused.

        Raises: NotFound("invoice.unknown"), Denied("auth.role").
        """
        require(actor, Area.PAYMENTS, write=True)
        async with self._db.transaction() as uow:
            invoice = await locked_invoice(uow, invoice_id)
            if await store.lift_pause(uow.conn, invoice_id, at=uow.clock.now()):
                uow.publish(DunningResumed(invoice_id=invoice_id))
                _record(uow, "dunning.resume", invoice, actor, {})

    async def _pause(
        self, uow: UnitOfWork, invoice_id: InvoiceId, until: date, *, reason: str, actor: Actor
    ) -> Pause:
        invoice, now = await locked_invoice(uow, invoice_id), uow.clock.now()
        pause = Pause(new_id(), invoice_id, until, reason, actor.staff_id, now)
        await store.lift_pause(uow.conn, invoice_id, at=now)
        await store.insert_pause(uow.conn, pause)
        uow.publish(DunningPaused(invoice_id=invoice_id))
        _record(uow, "dunning.pause", invoice, actor, {"until": until.isoformat()})
        return pause

    async def _remind(self, uow: UnitOfWork, candidate: Candidate) -> None:
        invoice = await locked_invoice(uow, candidate.invoice_id)
        if not await store.claim_reminder(uow.conn, candidate, at=uow.clock.now()):
            return
        try:
            part = await self._check(uow, invoice, candidate.number)
            proof = await prove_contact(
                uow,
                person_id=invoice.person_id,
                basis="consent",
                channel=None,
                purpose="service",
                quiet=self._policy.quiet,
            )
        except RuleBroken as refused:
            await self._refuse(uow, candidate, invoice, refused)
            return
        await self._queue(uow, candidate, invoice, part, proof=proof)

    async def _check(self, uow: UnitOfWork, invoice: Invoice, number: int) -> CoveredInstalment:
        return check_remindable(
            invoice,
            number,
            payments=await payments.select_payments_of(uow.conn, invoice.id),
            pause=await store.select_pause(uow.conn, invoice.id),
            undone=await store.is_being_undone(uow.conn, invoice.id),
            today=self._today(),
        )

    async def _refuse(
        self, uow: UnitOfWork, candidate: Candidate, invoice: Invoice, refused: OrientaError
    ) -> None:
        retry_at = refused.retry_at if isinstance(refused, ContactRefused) else None
        status: ReminderStatus = "refused" if retry_at is None else "postponed"
        await store.update_reminder(
            uow.conn, candidate.effect_key, status, code=refused.code, retry_at=retry_at
        )
        payload = {"invoice_id": invoice.id, "number": candidate.number, "step": candidate.step}
        uow.audit(
            AuditEntry(
                actor=SERVICE_ACTOR,
                action="dunning.remind",
                effect="OUTBOUND",
                outcome="refused",
                decision=refused.code,
                error_code=refused.code,
                about=invoice.person_id,
                payload=payload,
            )
        )

    async def _queue(
        self,
        uow: UnitOfWork,
        candidate: Candidate,
        invoice: Invoice,
        part: CoveredInstalment,
        *,
        proof: ContactProof,
    ) -> None:
        link = await make_link(
            uow,
            invoice.id,
            amount=part.outstanding,
            gateway=self._policy.gateway,
            actor=SERVICE_ACTOR,
        )
        params = {
            "amount": amount_in_words(part.outstanding),
            "due_on": day_in_words(part.due_on, proof.locale),
            "invoice": str(invoice.number),
            "link": f"{self._policy.base_url}{link.path}",
            "institution": self._policy.institution,
        }
        intent = OutboundIntent(
            effect_key=candidate.effect_key,
            proof=proof,
            template=template_of(candidate.step),
            params=params,
        )
        await queue_outbound(uow, intent)
        uow.publish(
            PaymentReminderQueued(
                invoice_id=invoice.id, number=candidate.number, step=candidate.step
            )
        )
        said = {"number": candidate.number, "step": candidate.step}
        _record(uow, "dunning.remind", invoice, SERVICE_ACTOR, said)

    def _today(self) -> date:
        return day_in(self._policy.time_zone, self._db.clock.now())


async def _invoice(uow: UnitOfWork, invoice_id: InvoiceId) -> Invoice:
    invoice = await invoices.select_invoice(uow.conn, invoice_id, owner=None)
    if invoice is None:
        raise NotFound("invoice.unknown", "There is no such invoice.")
    return invoice


def _record(
    uow: UnitOfWork, action: str, invoice: Invoice, actor: Actor, said: Mapping[str, object]
) -> None:
    uow.audit(
        performed(
            actor, action, about=invoice.person_id, payload={"invoice_id": invoice.id, **said}
        )
    )
