"""Use cases of payments: invoice, take, give back, read, reconcile, ask gateways."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crm.actor import SERVICE_ACTOR, Actor
from crm.db import Database, UnitOfWork
from crm.errors import NotFound, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import PersonId, new_id
from crm.journal.idempotency import IdempotencyKey
from crm.money import Money
from crm.once import do_once, run_once
from crm.payments import acts
from crm.payments.gateways.protocol import Gateway, GatewayEvent
from crm.payments.intents.gateway_work import GatewayWork
from crm.payments.invoices import store as invoices
from crm.payments.invoices.models import CreditNote, Invoice
from crm.payments.ledger import store as ledger
from crm.payments.ledger.payouts import record_payout
from crm.payments.links import store as links
from crm.payments.links.acts import PaymentLink, checkout_of, hash_of, make_link, renew_link
from crm.payments.models import (
    InvoiceId,
    ManualMethod,
    Payment,
    PaymentId,
    Refund,
)
from crm.payments.reading import PaymentReading
from crm.payments.reconciliation import store as reconciliation
from crm.payments.reconciliation.models import GatewayBook, Reconciliation, compare
from crm.people.authority import owner_of
from crm.people.reads import record_read

LedgerTotal = tuple[str, str | None, str, int]


@dataclass(frozen=True, slots=True)
class Bill:
    """What is owed, and where it is paid."""

    invoice: Invoice
    link: PaymentLink | None


class PaymentService(PaymentReading):
    """What is owed, what was paid, and the books that say so.

    Args:
        gateways: by name.
        chosen: the one that payment links use unless they name another.
        return_url: where payers land after a checkout.
        checkout_life: of payments that name no end of their own.
    """

    def __init__(
        self,
        database: Database,
        gateways: Mapping[str, Gateway] | None = None,
        *,
        chosen: str | None = None,
        return_url: str = "http://127.0.0.1:8000/me",
        checkout_life: timedelta = timedelta(hours=24),
    ) -> None:
        super().__init__(database)
        self._gateways = gateways or {}
        self._chosen = chosen
        self._work = GatewayWork(
            database, self._gateways, return_url=return_url, checkout_life=checkout_life
        )

    async def raise_invoice(
        self,
        *,
        person_id: PersonId,
        reference: str,
        net: Money,
        due_dates: Sequence[date],
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Invoice:
        """Invoice a fee; staff only; as `acts.raise_invoice`."""
        require(actor, Area.PAYMENTS, write=True)
        said = {
            "person_id": person_id,
            "reference": reference,
            "net_minor": net.amount_minor,
            "currency": net.currency,
            "due_dates": list(due_dates),
        }
        return await run_once(
            self._db,
            idempotency,
            said,
            lambda uow: acts.raise_invoice(
                uow,
                person_id=person_id,
                reference=reference,
                net=net,
                due_dates=due_dates,
                actor=actor,
            ),
            kind=Invoice,
            about=lambda invoice: invoice.person_id,
        )

    async def cancel_invoice(
        self,
        invoice_id: InvoiceId,
        *,
        reason: str,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Invoice:
        """Credit what is still owed; staff only; as `acts.cancel_invoice`."""
        require(actor, Area.PAYMENTS, write=True)
        return await run_once(
            self._db,
            idempotency,
            {"invoice_id": invoice_id, "reason": reason},
            lambda uow: acts.cancel_invoice(uow, invoice_id, reason=reason, actor=actor),
            kind=Invoice,
            about=lambda invoice: invoice.person_id,
        )

    async def credit_invoice(
        self,
        invoice_id: InvoiceId,
        amount: Money,
        *,
        reason: str,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> CreditNote:
        """Take a part off what is owed; staff only; as `acts.credit_invoice`."""
        require(actor, Area.PAYMENTS, write=True)
        return await run_once(
            self._db,
            idempotency,
            {"invoice_id": invoice_id, **_said(amount), "reason": reason},
            lambda uow: acts.credit_invoice(
                uow,
                invoice_id,
                amount,
                reason=reason,
                effect_key=_effect_key(idempotency),
                actor=actor,
            ),
            kind=CreditNote,
        )

    async def take_by_hand(
        self,
        *,
        invoice_id: InvoiceId,
        amount: Money,
        method: ManualMethod,
        received_at: datetime | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Payment:
        """Enter money that staff received; as `acts.take_by_hand`.

        Raises: RuleBroken("payment.received_at"): in the future.
        """
        require(actor, Area.PAYMENTS, write=True)
        now = self._db.clock.now()
        if received_at is not None and received_at > now:
            raise RuleBroken("payment.received_at", "Money cannot have come in the future.")
        said = {"invoice_id": invoice_id, "method": method, "received_at": received_at}
        return await run_once(
            self._db,
            idempotency,
            said | _said(amount),
            lambda uow: acts.take_by_hand(
                uow,
                invoice_id=invoice_id,
                amount=amount,
                method=method,
                received_at=received_at or now,
                effect_key=_effect_key(idempotency),
                actor=actor,
            ),
            kind=Payment,
            about=lambda payment: payment.person_id,
        )

    async def void_payment(
        self,
        payment_id: PaymentId,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Payment:
        """Expect no money any more; staff only; as `acts.void_payment`."""
        require(actor, Area.PAYMENTS, write=True)
        return await run_once(
            self._db,
            idempotency,
            {"payment_id": payment_id},
            lambda uow: acts.void_payment(uow, payment_id, actor=actor),
            kind=Payment,
            about=lambda payment: payment.person_id,
        )

    async def request_refund(
        self,
        payment_id: PaymentId,
        amount: Money,
        *,
        reason: str,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Refund:
        """Ask for money to go back; staff only; as `acts.request_refund`."""
        require(actor, Area.PAYMENTS, write=True)
        return await run_once(
            self._db,
            idempotency,
            {"payment_id": payment_id, **_said(amount), "reason": reason},
            lambda uow: acts.request_refund(
                uow,
                payment_id=payment_id,
                amount=amount,
                reason=reason,
                effect_key=_effect_key(idempotency),
                actor=actor,
            ),
            kind=Refund,
        )

    async def make_link(
        self,
        invoice_id: InvoiceId,
        *,
        amount: Money | None = None,
        gateway: str | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> PaymentLink:
        """Make a link that leads to a checkout: staff for anybody, students for themselves.

        Raises:
            NotFound("invoice.unknown" | "gateway.unknown").
            RuleBroken: as `acts.initiate_payment`.
        """
        owner = owner_of(actor)
        if owner is None:
            require(actor, Area.PAYMENTS, write=True)
        name = self._gateway_name(gateway)
        said = {"invoice_id": invoice_id, "gateway": gateway, **(_said(amount) if amount else {})}

        async def make() -> PaymentLink:
            await self._require_own(uow, invoice_id, owner)
            return await make_link(uow, invoice_id, amount=amount, gateway=name, actor=actor)

        async with self._db.transaction() as uow:
            return await do_once(uow, idempotency, said, make, kind=PaymentLink)

    async def bill_within(self, uow: UnitOfWork, invoice_id: InvoiceId, *, actor: Actor) -> Bill:
        """Return an invoice with a link to pay its next instalment, in this transaction.

        The link is None where no gateway is set or nothing is owed.

        Raises: NotFound("invoice.unknown"); Denied("identity.level" | "auth.role").
        """
        owner = owner_of(actor)
        if owner is None:
            require(actor, Area.PAYMENTS, write=True)
        invoice = await invoices.select_invoice(uow.conn, invoice_id, owner=owner)
        if invoice is None:
            raise NotFound("invoice.unknown", "There is no such invoice.")
        owed = invoice.cancelled_at is None and not invoice.is_settled
        if not owed or self._chosen not in self._gateways:
            return Bill(invoice, None)
        gateway = self._gateway_name(None)
        link = await make_link(uow, invoice_id, amount=None, gateway=gateway, actor=actor)
        return Bill(invoice, link)

    def _gateway_name(self, name: str | None) -> str:
        chosen = name or self._chosen
        if chosen is None or chosen not in self._gateways:
            raise NotFound("gateway.unknown", "There is no such gateway.")
        return chosen

    async def _require_own(
        self, uow: UnitOfWork, invoice_id: InvoiceId, owner: PersonId | None
    ) -> None:
        if await invoices.select_invoice(uow.conn, invoice_id, owner=owner) is None:
            raise NotFound("invoice.unknown", "There is no such invoice.")

    async def follow_link(self, token: str) -> str:
        """Return where the payer pays, opening the checkout if it is not open yet, or anew.

        Raises:
            NotFound("payment_link.unknown").
            RuleBroken("payment_link.closed").
        """
        payment = await self._linked(token)
        if not payment.is_under_way(self._db.clock.now()):
            async with self._db.transaction() as uow:
                payment = await renew_link(uow, hash_of(token), payment, actor=SERVICE_ACTOR)
        if payment.status == "initiated":
            await self._work.run_due(1, payment_id=payment.id)
            payment = await self._linked(token)
        return checkout_of(payment, self._db.clock.now())

    async def _linked(self, token: str) -> Payment:
        async with self._db.read() as conn:
            payment = await links.select_linked_payment(conn, hash_of(token))
        if payment is None:
            raise NotFound("payment_link.unknown", "There is no such payment link.")
        return payment

    async def receive(self, event: GatewayEvent) -> bool:
        """Enter what happened at a gateway, in a transaction of its own; as `acts.receive`."""
        async with self._db.transaction() as uow:
            return await acts.receive(uow, event)

    async def run_due(self, limit: int = 20) -> int:
        """Ask gateways for what is intended; return how many intents were taken up."""
        return await self._work.run_due(limit)

    async def poll_due(self, limit: int = 20) -> int:
        """Ask gateways about payments whose events may be lost; return about how many."""
        return await self._work.poll_due(limit)

    async def reconcile(
        self, gateway: str, *, since: datetime, until: datetime, actor: Actor
    ) -> Reconciliation:
        """Compare what a gateway booked with what the ledger says; staff only.

        Raises:
            NotFound("gateway.unknown").
            Unavailable: the gateway does not answer.
        """
        require(actor, Area.PAYMENTS)
        source = self._gateways[self._gateway_name(gateway)]
        there = GatewayBook({}, {})
        async for movement in source.list_movements(since=since, until=until):
            there.add(movement)
        async with self._db.audited_read() as uow:
            here = await reconciliation.select_clearing_moves(
                uow.conn, gateway, since=since, until=until
            )
            shown = {"gateway": gateway, "since": since, "until": until}
            record_read(uow, "payment.reconcile", actor=actor, people=[], payload=shown)
        return Reconciliation(gateway, since, until, *compare(here, there))

    async def record_payout(
        self,
        *,
        gateway: str,
        paid_out: Money,
        fee: Money,
        received_at: datetime | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> bool:
        """Enter a gateway's payout; staff only; as `payouts.record_payout`.

        Raises: NotFound("gateway.unknown").
        """
        require(actor, Area.PAYMENTS, write=True)
        name = self._gateway_name(gateway)
        parts = {"paid_out": _said(paid_out), "fee": _said(fee)}
        return await run_once(
            self._db,
            idempotency,
            {"gateway": gateway, "received_at": received_at, **parts},
            lambda uow: record_payout(
                uow,
                gateway=name,
                paid_out=paid_out,
                fee=fee,
                received_at=received_at or uow.clock.now(),
                effect_key=_effect_key(idempotency),
                actor=actor,
            ),
            kind=bool,
        )

    async def ledger_totals(self, *, actor: Actor) -> tuple[LedgerTotal, ...]:
        """Return what stands on the ledger's accounts, debtors together; staff only."""
        require(actor, Area.PAYMENTS)
        async with self._db.audited_read() as uow:
            totals = await ledger.select_totals(uow.conn)
            record_read(uow, "ledger.totals", actor=actor, people=[])
        return tuple(totals)


def _effect_key(key: IdempotencyKey | None) -> str:
    """Return the effect of a call: the caller's key, or one that happens once."""
    return f"{key.scope}:{key.key}" if key else str(new_id())


def _said(amount: Money) -> dict[str, object]:
    return {"amount_minor": amount.amount_minor, "currency": amount.currency}
