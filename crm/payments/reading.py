"""How invoices and payments are read: staff any, students their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from crm.actor import Actor
from crm.db import Database, UnitOfWork
from crm.errors import NotFound, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import PersonId
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.payments import fact_store, refund_store, store
from crm.payments.invoices import store as invoices
from crm.payments.invoices.models import CreditNote, Invoice
from crm.payments.invoices.store import InvoiceFilter
from crm.payments.models import Dispute, Fact, InvoiceId, Payment, PaymentId, Refund
from crm.people.authority import owner_of
from crm.people.reads import record_read


@dataclass(frozen=True, slots=True)
class InvoiceDetail:
    """An invoice with what was paid and credited."""

    invoice: Invoice
    payments: tuple[Payment, ...]
    credit_notes: tuple[CreditNote, ...]


@dataclass(frozen=True, slots=True)
class PaymentDetail:
    """A payment with its refunds and everything that happened to it, oldest first."""

    payment: Payment
    refunds: tuple[Refund, ...]
    facts: tuple[Fact, ...]


class PaymentReading:
    """The reading half of the payments' use cases."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @property
    def today(self) -> date:
        """Return the day on which instalments are or are not overdue."""
        return self._db.clock.now().date()

    async def get_invoice(self, invoice_id: InvoiceId, *, actor: Actor) -> InvoiceDetail:
        """Return an invoice with its payments; a student finds only their own.

        Raises: NotFound("invoice.unknown"); Denied("identity.level" | "auth.role").
        """
        owner = _reader(actor)
        async with self._db.audited_read() as uow:
            invoice = await invoices.select_invoice(uow.conn, invoice_id, owner=owner)
            if invoice is None:
                raise NotFound("invoice.unknown", "There is no such invoice.")
            paid = await store.select_payments_of(uow.conn, invoice_id)
            notes = await invoices.select_credit_notes(uow.conn, [invoice_id])
            shown = {"invoice_id": invoice_id}
            record_read(uow, "invoice.read", actor=actor, people=[invoice.person_id], payload=shown)
        return InvoiceDetail(invoice, tuple(paid), tuple(notes))

    async def find_refundable(
        self, uow: UnitOfWork, invoice_id: InvoiceId, *, actor: Actor
    ) -> Payment:
        """Return the payment of an invoice of which most can go back; a student finds their own.

        Raises: NotFound("invoice.unknown"); RuleBroken("refund.nothing");
            Denied("identity.level" | "auth.role").
        """
        invoice = await invoices.select_invoice(uow.conn, invoice_id, owner=_reader(actor))
        if invoice is None:
            raise NotFound("invoice.unknown", "There is no such invoice.")
        paid = await store.select_payments_of(uow.conn, invoice_id)
        most = max(paid, key=lambda payment: payment.refundable.amount_minor, default=None)
        if most is None or most.refundable.amount_minor <= 0:
            raise RuleBroken("refund.nothing", "Nothing was paid that could go back.")
        return most

    async def list_invoices(
        self,
        only: InvoiceFilter | None = None,
        *,
        person_id: PersonId | None = None,
        cursor: str | None = None,
        limit: int = 50,
        actor: Actor,
    ) -> Page[Invoice]:
        """Return invoices, the newest first; a student finds only their own.

        Raises: RuleBroken("page.cursor"); Denied("identity.level" | "auth.role").
        """
        owner = _reader(actor)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            rows = await invoices.select_invoices(
                uow.conn,
                only,
                person_id=owner or person_id,
                today=self.today,
                after=after,
                limit=limit + 1,
            )
            page = page_of(rows, limit, lambda i: encode_cursor(i.created_at, i.id))
            seen = [invoice.person_id for invoice in page.items]
            record_read(uow, "invoice.list", actor=actor, people=seen)
        return page

    async def get_payment(self, payment_id: PaymentId, *, actor: Actor) -> PaymentDetail:
        """Return a payment with its history; a student finds only their own.

        Raises: NotFound("payment.unknown"); Denied("identity.level" | "auth.role").
        """
        owner = _reader(actor)
        async with self._db.audited_read() as uow:
            payment = await store.select_payment(uow.conn, payment_id, owner=owner)
            if payment is None:
                raise NotFound("payment.unknown", "There is no such payment.")
            refunds = await refund_store.select_refunds(uow.conn, payment_id)
            facts = await fact_store.select_facts(uow.conn, payment_id)
            shown = {"payment_id": payment_id}
            record_read(uow, "payment.read", actor=actor, people=[payment.person_id], payload=shown)
        return PaymentDetail(payment, tuple(refunds), facts)

    async def list_payments(
        self,
        filters: Mapping[str, object] | None = None,
        *,
        cursor: str | None = None,
        limit: int = 50,
        actor: Actor,
    ) -> Page[Payment]:
        """Return payments, the newest first; a student finds only their own.

        Args:
            filters: any of `status`, `person_id`, `invoice_id`, `gateway`; None is no filter.
        Raises: RuleBroken("page.cursor"); Denied("identity.level" | "auth.role").
        """
        owner = _reader(actor)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            rows = await store.select_payments(
                uow.conn, filters or {}, owner=owner, after=after, limit=limit + 1
            )
            page = page_of(rows, limit, lambda p: encode_cursor(p.created_at, p.id))
            seen = [payment.person_id for payment in page.items]
            record_read(uow, "payment.list", actor=actor, people=seen)
        return page

    async def list_disputes(
        self, *, cursor: str | None = None, limit: int = 50, actor: Actor
    ) -> Page[Dispute]:
        """Return what happened in disputes, the newest first; staff only.

        Raises: RuleBroken("page.cursor"); Denied("auth.role").
        """
        require(actor, Area.PAYMENTS)
        after = decode_cursor(cursor, datetime.fromisoformat, str)
        async with self._db.audited_read() as uow:
            rows = await fact_store.select_disputes(uow.conn, after=after, limit=limit + 1)
            page = page_of(rows, limit, _dispute_cursor)
            seen = [row.payment.person_id for row in page.items]
            record_read(uow, "dispute.list", actor=actor, people=seen)
        return page


def _dispute_cursor(dispute: Dispute) -> str:
    return encode_cursor(dispute.recorded_at, dispute.fact.source_key)


def _reader(actor: Actor) -> PersonId | None:
    """Return whose records the actor may read; None is everybody's."""
    owner = owner_of(actor)
    if owner is None:
        require(actor, Area.PAYMENTS)
    return owner
