"""Takes money through Stripe Checkout."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import stripe
from stripe.params.checkout import SessionCreateParams

from crm.clock import Clock
from crm.errors import NotFound, RuleBroken
from crm.payments.gateways.protocol import (
    Checkout,
    CheckoutOrder,
    GatewayEvent,
    GatewayRefused,
    Movement,
    RefundOrder,
    RefundResult,
)
from crm.payments.gateways.stripe.amounts import to_stripe
from crm.payments.gateways.stripe.calls import StripeCalls
from crm.payments.gateways.stripe.failures import in_our_words, was_replayed
from crm.payments.gateways.stripe.movements import movement_of
from crm.payments.gateways.stripe.reading import (
    NAME,
    REFUND_EVENTS,
    Thing,
    events_of_dispute,
    events_of_refund,
    events_of_session,
    id_of,
    result_of_refund,
    time_of,
    uuid_in,
)
from crm.payments.gateways.stripe.signature import read_signed

#: Stripe takes no other ends of a checkout; a minute is left for the way there.
SHORTEST = timedelta(minutes=31)
LONGEST = timedelta(hours=23, minutes=59)
#: What a first try got is repeated for a day, a failure too: so many other keys are tried.
_CHECKOUT_KEYS = 3


class StripeGateway:
    """Stripe, through its official SDK.

    Args:
        secret_key: `sk_…` or a restricted key.
        webhook_secret: `whsec_…` of our endpoint.
        api_base: of Stripe, or of what stands in for it in tests.
    """

    def __init__(
        self, *, secret_key: str, webhook_secret: str, api_base: str, clock: Clock
    ) -> None:
        self._calls = StripeCalls(secret_key, api_base)
        self._webhook_secret = webhook_secret
        self._clock = clock

    @property
    def name(self) -> str:
        """Return `stripe`."""
        return NAME

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    async def create_checkout(self, order: CheckoutOrder) -> Checkout:
        """Open a Checkout Session, once a payment id.

        A checkout whose first try Stripe failed, or that is asked for in other words because time
        has passed, gets another key: nobody was ever shown the first one's address.
        """
        params = _params_of(order, self._clock.now())
        with in_our_words():
            session = await self._open(params, f"checkout:{order.payment_id}")
        expires_at = time_of({"created": session["expires_at"]})
        return Checkout(str(session["id"]), str(session["url"]), expires_at)

    async def _open(self, params: SessionCreateParams, key: str) -> Thing:
        for number in range(1, _CHECKOUT_KEYS):
            try:
                return await self._calls.create_session(params, f"{key}:{number}")
            except stripe.IdempotencyError:
                continue
            except stripe.APIError as failure:
                if not was_replayed(failure):
                    raise
        return await self._calls.create_session(params, f"{key}:{_CHECKOUT_KEYS}")

    async def cancel_checkout(
        self, payment_id: UUID, gateway_ref: str
    ) -> Literal["cancelled", "paid"]:
        """Expire a Checkout Session, or say that it was completed."""
        with in_our_words():
            try:
                await self._calls.expire_session(gateway_ref)
            except stripe.InvalidRequestError as refused:
                if refused.code == "resource_missing":
                    raise
                session = await self._calls.get_session(gateway_ref)
                if session["status"] == "open":
                    raise
                return "paid" if session["status"] == "complete" else "cancelled"
        return "cancelled"

    async def refund(self, order: RefundOrder) -> RefundResult:
        """Give money back, once a refund id, also after Stripe has forgotten the key.

        Raises: GatewayRefused("refund.unpaid" | "gateway.refused" | "gateway.amount").
        """
        amount = to_stripe(order.amount)
        with in_our_words():
            session = await self._calls.get_session(order.gateway_ref)
            intent = id_of(session.get("payment_intent"))
            if intent is None:
                raise GatewayRefused("refund.unpaid", "Nothing was paid that could be given back.")
            async for known in self._calls.list_refunds(payment_intent=intent):
                if uuid_in(known, "refund_id") == order.refund_id:
                    return result_of_refund(known)
            return result_of_refund(await self._calls.create_refund(order, intent, amount))

    async def fetch(self, gateway_ref: str) -> tuple[GatewayEvent, ...]:
        """Return what Stripe knows of a checkout, its refunds and its disputes."""
        with in_our_words():
            session = await self._calls.get_session(gateway_ref)
            payment_id = await self._payment_of(session)
            failed = _has_failed(session.get("payment_intent"))
            events = [
                *events_of_session(session, payment_id, time_of(session), failed=failed),
            ]
            if intent := id_of(session.get("payment_intent")):
                async for refund in self._calls.list_refunds(payment_intent=intent):
                    events += events_of_refund(refund, payment_id, time_of(refund))
                async for dispute in self._calls.list_disputes(intent):
                    events += events_of_dispute(dispute, payment_id, time_of(dispute))
        return tuple(events)

    async def read_webhook(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> tuple[GatewayEvent, ...]:
        """Return what a webhook of Stripe's reports; may ask Stripe which payment is meant."""
        event = read_signed(headers, body, self._webhook_secret, now=now)
        try:
            with in_our_words():
                return await self._events_of(event["type"], event["data"]["object"], time_of(event))
        except (KeyError, TypeError, ValueError, OverflowError) as broken:
            raise RuleBroken("webhook.malformed", "The webhook cannot be read.") from broken

    async def _events_of(self, kind: str, thing: Thing, at: datetime) -> tuple[GatewayEvent, ...]:
        if kind.startswith("checkout.session."):
            failed = kind == "checkout.session.async_payment_failed"
            return events_of_session(thing, await self._payment_of(thing), at, failed=failed)
        if kind in REFUND_EVENTS:
            return events_of_refund(thing, await self._payment_of(thing), at)
        if kind.startswith("charge.dispute."):
            return events_of_dispute(thing, await self._payment_of(thing), at)
        if kind == "charge.refunded":
            return await self._refunds_of(thing, at)
        return ()

    async def _refunds_of(self, charge: Thing, at: datetime) -> tuple[GatewayEvent, ...]:
        """The charge says only how much was given back in all: ask for each refund."""
        payment_id = await self._payment_of(charge)
        events: list[GatewayEvent] = []
        async for refund in self._calls.list_refunds(charge=str(charge["id"])):
            events += events_of_refund(refund, payment_id, at)
        return tuple(events)

    async def _payment_of(self, thing: Thing) -> UUID:
        """Return the payment that something of Stripe's belongs to.

        Raises: NotFound("payment.unknown"): the account is also used by others than us.
        """
        found = uuid_in(thing, "payment_id")
        intent = id_of(thing.get("payment_intent"))
        if found is None and intent is not None:
            found = uuid_in(await self._calls.get_intent(intent), "payment_id")
        if found is None:
            raise NotFound("payment.unknown", "There is no such payment.")
        return found

    async def list_movements(self, *, since: datetime, until: datetime) -> AsyncIterator[Movement]:
        """Yield Stripe's balance transactions that are payments, refunds and disputes."""
        with in_our_words():
            async for booking in self._calls.list_bookings(since, until):
                movement = movement_of(booking)
                if movement is not None:
                    yield movement


def _has_failed(intent: Any) -> bool:
    """Return whether a payment method took the order and failed days later."""
    failed = ("requires_payment_method", "canceled")
    return isinstance(intent, dict) and intent.get("status") in failed


def _params_of(order: CheckoutOrder, now: datetime) -> SessionCreateParams:
    ours = {"payment_id": str(order.payment_id)}
    params: SessionCreateParams = {
        "mode": "payment",
        "line_items": [
            {
                "price_data": {
                    "currency": order.amount.currency.lower(),
                    "unit_amount": to_stripe(order.amount),
                    "product_data": {"name": order.description},
                },
                "quantity": 1,
            }
        ],
        "client_reference_id": str(order.payment_id),
        "metadata": ours,
        "payment_intent_data": {"metadata": ours},
        "success_url": order.return_url,
        "cancel_url": order.return_url,
        "locale": order.locale,
    }
    left = order.expires_at - now
    if SHORTEST <= left <= LONGEST:
        params["expires_at"] = int(order.expires_at.timestamp())
    return params
