"""Asks gateways for what was intended: claim, act outside any transaction, note the result."""

from collections.abc import Mapping
from datetime import timedelta

from crm.actor import SERVICE_ACTOR
from crm.db import Database, UnitOfWork
from crm.errors import NotFound, OrientaError, Unavailable
from crm.payments import store as payments
from crm.payments.book import enter, open_book
from crm.payments.gateways.protocol import (
    Checkout,
    CheckoutOrder,
    Gateway,
    GatewayEvent,
    RefundOrder,
    RefundResult,
)
from crm.payments.inbox import receive_known
from crm.payments.intents import store
from crm.payments.intents.models import LAST_POLL, MAX_ATTEMPTS, Intent, poll_after, wait_after
from crm.payments.models import Fact, Payment, PaymentId
from crm.payments.records import record_attempt
from crm.payments.refunding import give_up_refund, note_refund
from crm.payments.taking import note_checkout

Answer = Checkout | RefundResult | tuple[GatewayEvent, ...]

_DESCRIPTIONS = {"es": "Factura {number}", "en": "Invoice {number}"}


class GatewayWork:
    """Does what payments intend; any number of processes may at once.

    Args:
        return_url: where payers land after a checkout.
        checkout_life: of payments that name no end of their own.
    """

    def __init__(
        self,
        database: Database,
        gateways: Mapping[str, Gateway],
        *,
        return_url: str,
        checkout_life: timedelta,
    ) -> None:
        self._db = database
        self._gateways = gateways
        self._return_url = return_url
        self._life = checkout_life

    async def run_due(self, limit: int = 20, *, payment_id: PaymentId | None = None) -> int:
        """Act on intents that are due.

        Args:
            payment_id: only on those of this payment.

        Returns: how many were taken up, whatever became of them; 0 when nothing was due.
        """
        for count in range(limit):
            # A claim lost in a crash costs a second try, which the gateway recognises.
            async with self._db.transaction(durable=False) as uow:
                now = uow.clock.now()
                intent = await store.claim_intent(uow.conn, at=now, payment_id=payment_id)
            if intent is None:
                return count
            await self._run(intent)
        return limit

    async def _run(self, intent: Intent) -> None:
        if intent.attempts > MAX_ATTEMPTS:
            await self._give_up(intent, "gateway.unavailable", refused=False)
            return
        try:
            answer = () if intent.is_moot else await self._ask(intent)
        except Unavailable as failure:
            await self._postpone(intent, failure.code)
        except OrientaError as failure:
            await self._give_up(intent, failure.code, refused=True)
        else:
            await self._note(intent, answer)

    async def _ask(self, intent: Intent) -> Answer:
        gateway = self._gateway(intent.gateway)
        if intent.kind == "open":
            return await gateway.create_checkout(self._order(intent))
        reference = intent.gateway_ref or ""
        if intent.kind == "cancel":
            end = await gateway.cancel_checkout(intent.payment_id, reference)
            return await gateway.fetch(reference) if end == "paid" else ()
        assert intent.refund_id is not None, "the table says so"  # noqa: S101
        return await gateway.refund(
            RefundOrder(
                refund_id=intent.refund_id,
                payment_id=intent.payment_id,
                gateway_ref=reference,
                amount=intent.amount,
                reason=intent.reason or "",
            )
        )

    def _gateway(self, name: str) -> Gateway:
        gateway = self._gateways.get(name)
        if gateway is None:
            raise Unavailable("gateway.missing", "This gateway is not set up.")
        return gateway

    def _order(self, intent: Intent) -> CheckoutOrder:
        description = _DESCRIPTIONS[intent.locale].format(number=intent.invoice_number)
        return CheckoutOrder(
            payment_id=intent.payment_id,
            amount=intent.amount,
            description=description,
            locale=intent.locale,
            return_url=self._return_url,
            expires_at=intent.expires_at or intent.created_at + self._life,
        )

    async def _note(self, intent: Intent, answer: Answer) -> None:
        async with self._db.transaction() as uow:
            if isinstance(answer, Checkout):
                await note_checkout(
                    uow,
                    intent.payment_id,
                    gateway_ref=answer.gateway_ref,
                    url=answer.url,
                    expires_at=answer.expires_at,
                )
            elif isinstance(answer, RefundResult) and intent.refund_id is not None:
                await note_refund(
                    uow,
                    intent.refund_id,
                    gateway_ref=answer.gateway_ref,
                    state=answer.state,
                    error=answer.error,
                )
            elif isinstance(answer, tuple):
                await receive_known(uow, answer)
            await store.close_intent(uow.conn, intent.id, error=None, at=uow.clock.now())

    async def _postpone(self, intent: Intent, error: str) -> None:
        if intent.attempts >= MAX_ATTEMPTS:
            await self._give_up(intent, error, refused=False)
            return
        async with self._db.transaction() as uow:
            until = uow.clock.now() + wait_after(intent.attempts)
            await store.postpone_intent(uow.conn, intent.id, error=error, until=until)
            _record(uow, intent, error)

    async def _give_up(self, intent: Intent, error: str, *, refused: bool) -> None:
        async with self._db.transaction() as uow:
            if not await store.close_intent(uow.conn, intent.id, error=error, at=uow.clock.now()):
                return
            _record(uow, intent, error)
            if intent.kind == "open":
                await _fail(uow, intent.payment_id, error)
            elif intent.refund_id is not None and refused:
                await note_refund(
                    uow, intent.refund_id, gateway_ref=None, state="failed", error=error
                )
            elif intent.refund_id is not None:
                await give_up_refund(uow, intent.refund_id, error=error)

    async def poll_due(self, limit: int = 20) -> int:
        """Ask gateways about payments that wait for an event which may be lost.

        Returns: how many were asked about; 0 when none was due.
        """
        for count in range(limit):
            async with self._db.transaction(durable=False) as uow:
                claimed = await store.claim_poll(uow.conn, at=uow.clock.now())
            if claimed is None:
                return count
            await self._poll(*claimed)
        return limit

    async def _poll(self, payment_id: PaymentId, polls: int) -> None:
        async with self._db.read() as conn:
            payment = await payments.select_payment(conn, payment_id, owner=None)
        told: tuple[GatewayEvent, ...] = ()
        known = payment is not None and payment.gateway_ref is not None
        if payment is not None and payment.gateway_ref is not None:
            try:
                told = await self._gateway(payment.gateway).fetch(payment.gateway_ref)
            except NotFound:
                known = False
            except OrientaError:
                told = ()
        async with self._db.transaction() as uow:
            await receive_known(uow, told)
        await self._plan_poll(payment_id, polls, known=known)

    async def _plan_poll(self, payment_id: PaymentId, polls: int, *, known: bool) -> None:
        async with self._db.transaction() as uow:
            now = uow.clock.now()
            payment = await payments.select_payment(uow.conn, payment_id, owner=None)
            asks_on = known and payment is not None and _expects(payment)
            late = payment is not None and payment.checkout_expires_at
            if not asks_on or (late and late + LAST_POLL < now and not _owes(payment)):
                await store.delete_poll(uow.conn, payment_id)
                return
            due_at = now + poll_after(polls + 1)
            await store.postpone_poll(uow.conn, payment_id, due_at=due_at)


def _expects(payment: Payment) -> bool:
    """Return whether the gateway may have more to tell."""
    return payment.captured.amount_minor == 0 or _owes(payment)


def _owes(payment: Payment | None) -> bool:
    """Return whether money is on its way back, or held back."""
    return payment is not None and (
        payment.refund_pending.amount_minor > 0 or payment.disputed.amount_minor > 0
    )


async def _fail(uow: UnitOfWork, payment_id: PaymentId, error: str) -> None:
    """Give a payment up that no gateway will take."""
    fact = Fact(
        kind="failed",
        source_key=f"given-up:{payment_id}",
        occurred_at=uow.clock.now(),
        data={"error": error},
    )
    await enter(uow, await open_book(uow, payment_id), fact, actor=SERVICE_ACTOR)


def _record(uow: UnitOfWork, intent: Intent, error: str) -> None:
    payload = {"payment_id": intent.payment_id, "attempts": intent.attempts}
    record_attempt(uow, f"gateway.{intent.kind}", actor=SERVICE_ACTOR, error=error, payload=payload)
