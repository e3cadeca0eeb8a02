"""Use cases of payments: take, give back, reconcile, ask gateways."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from crm.actor import Actor
from crm.db import Database
from crm.errors import RuleBroken
from crm.identity.permissions import Area, require
from crm.journal.idempotency import IdempotencyKey, effect_key_of
from crm.money import Money
from crm.once import run_once
from crm.payments import acts
from crm.payments.gateways.protocol import Gateway, GatewayEvent
from crm.payments.intents.gateway_work import GatewayWork
from crm.payments.invoicing import Invoicing
from crm.payments.ledger import store as ledger
from crm.payments.ledger.payouts import record_payout
from crm.payments.linking import PaymentLinking
from crm.payments.models import InvoiceId, ManualMethod, Payment, PaymentId, Refund
from crm.payments.reconciliation import store as reconciliation
from crm.payments.reconciliation.models import GatewayBook, Reconciliation, compare
from crm.people.reads import record_read

LedgerTotal = tuple[str, str | None, str, int]


class PaymentService(Invoicing, PaymentLinking):
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
        known = gateways or {}
        work = GatewayWork(database, known, return_url=return_url, checkout_life=checkout_life)
        super().__init__(database, known, chosen=chosen, work=work)

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
            said | asdict(amount),
            lambda uow: acts.take_by_hand(
                uow,
                invoice_id=invoice_id,
                amount=amount,
                method=method,
                received_at=received_at or now,
                effect_key=effect_key_of(idempotency),
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
            {"payment_id": payment_id, **asdict(amount), "reason": reason},
            lambda uow: acts.request_refund(
                uow,
                payment_id=payment_id,
                amount=amount,
                reason=reason,
                effect_key=effect_key_of(idempotency),
                actor=actor,
            ),
            kind=Refund,
        )

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
        parts = {"paid_out": asdict(paid_out), "fee": asdict(fee)}
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
                effect_key=effect_key_of(idempotency),
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
