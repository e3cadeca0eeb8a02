"""The sandbox as the rest of the house sees it: one more gateway, with its own transactions."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from crm.db import Database
from crm.errors import Unavailable
from crm.payments.gateways.protocol import (
    Checkout,
    CheckoutOrder,
    GatewayEvent,
    GatewayRefused,
    Movement,
    RefundOrder,
    RefundResult,
)
from crm.payments.gateways.sandbox import signing, store, till
from crm.payments.gateways.sandbox.behaviour import Behaviour
from crm.payments.gateways.sandbox.models import NAME, checkout_id_of


class SandboxGateway:
    """Takes pretended money, deterministically, and fails when it was told to.

    Args:
        secret: signs webhooks and makes checkout ids that nobody can guess.
        base_url: where payers find the payment page.
    """

    def __init__(self, database: Database, *, secret: bytes, base_url: str) -> None:
        self._db = database
        self._secret = secret
        self._base_url = base_url

    @property
    def name(self) -> str:
        """Return `sandbox`."""
        return NAME

    async def create_checkout(self, order: CheckoutOrder) -> Checkout:
        """Open a checkout, once a payment id.

        Raises: GatewayRefused("gateway.amount" | "gateway.return_url" | "gateway.mismatch").
        """
        _check_order(order)
        lost = await self._begin("checkout", order.payment_id, order.payment_id)
        checkout_id = checkout_id_of(order.payment_id, self._secret)
        async with self._db.transaction() as uow:
            await store.insert_checkout(uow.conn, checkout_id, order, at=uow.clock.now())
            checkout = await till.require_checkout(uow.conn, checkout_id)
        if checkout.amount != order.amount:
            raise GatewayRefused("gateway.mismatch", "The payment was ordered differently before.")
        _answer(lost=lost)
        return checkout.seen_from(self._base_url)

    async def cancel_checkout(
        self, payment_id: UUID, gateway_ref: str
    ) -> Literal["cancelled", "paid"]:
        """Close a checkout, or say that it is paid."""
        lost = await self._begin("cancel", payment_id, payment_id)
        async with self._db.transaction() as uow:
            paid = await till.expire(uow, gateway_ref) == "paid"
        _answer(lost=lost)
        return "paid" if paid else "cancelled"

    async def refund(self, order: RefundOrder) -> RefundResult:
        """Give money back, once a refund id.

        Raises: GatewayRefused("refund.unpaid" | "refund.disputed" | "refund.exceeds" |
            "gateway.mismatch").
        """
        lost = await self._begin("refund", order.refund_id, order.payment_id)
        async with self._db.transaction() as uow:
            refund = await till.refund(uow, order)
        _answer(lost=lost)
        error = "refund.failed" if refund.status == "failed" else None
        return RefundResult(f"re_{refund.refund_id.hex}", refund.status, error)

    async def fetch(self, gateway_ref: str) -> tuple[GatewayEvent, ...]:
        """Return everything that happened to a checkout, however little of it was reported."""
        async with self._db.read() as conn:
            await till.require_checkout(conn, gateway_ref)
            return tuple(e.as_event() for e in await store.select_events(conn, gateway_ref))

    async def read_webhook(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> tuple[GatewayEvent, ...]:
        """Return the event of a webhook that this sandbox signed."""
        signing.check_signature(headers, body, self._secret, now=now)
        return (signing.read_body(body),)

    async def list_movements(self, *, since: datetime, until: datetime) -> AsyncIterator[Movement]:
        """Yield what was booked, oldest first."""
        async with self._db.read() as conn:
            async for event in store.select_booked(conn, since=since, until=until):
                yield event.as_movement()

    async def _begin(self, act: str, about: UUID, payment_id: UUID) -> bool:
        """Count a call and let it fail if it shall; return whether its answer gets lost."""
        call = f"{act}:{about}"
        async with self._db.transaction() as uow:
            behaviour: Behaviour = await store.select_behaviour(uow.conn, payment_id)
            attempt = await store.count_call(uow.conn, call)
        if behaviour.refuses(call, attempt):
            raise Unavailable("gateway.unavailable", "The payment gateway does not answer.")
        return behaviour.loses(call, attempt)


def _answer(*, lost: bool) -> None:
    if lost:
        raise Unavailable("gateway.timeout", "The payment gateway did not answer in time.")


def _check_order(order: CheckoutOrder) -> None:
    if order.amount.amount_minor <= 0:
        raise GatewayRefused("gateway.amount", "The amount is not one that can be paid.")
    if not order.return_url.startswith(("https://", "http://")):
        raise GatewayRefused("gateway.return_url", "The return address is not a web address.")
