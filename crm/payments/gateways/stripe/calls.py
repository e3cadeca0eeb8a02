"""The calls of Stripe's API that we make, with plain objects as answers."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import stripe
from stripe.params import DisputeListParams, RefundListParams
from stripe.params.checkout import SessionCreateParams

from crm.payments.gateways.protocol import RefundOrder
from crm.payments.gateways.stripe.reading import Thing
from crm.payments.gateways.stripe.transport import StripeTransport

#: Longer than Stripe's slowest ordinary answers; a claim on the payment lasts longer still.
TIMEOUT_S = 20
_PAGE = 100


class StripeCalls:
    """A client of the version of the API that the SDK was made for."""

    def __init__(self, secret_key: str, api_base: str) -> None:
        self._http = StripeTransport(TIMEOUT_S)
        # Repeating is the caller's: it keeps its place in the database while it waits.
        client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base},
            max_network_retries=0,
            http_client=self._http,
        )
        self._api = client.v1

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close_async()

    async def create_session(self, params: SessionCreateParams, key: str) -> Thing:
        """Open a Checkout Session."""
        return _plain(
            await self._api.checkout.sessions.create_async(params, {"idempotency_key": key})
        )

    async def get_session(self, session_id: str) -> Thing:
        """Return a Checkout Session with its payment."""
        return _plain(
            await self._api.checkout.sessions.retrieve_async(
                session_id, {"expand": ["payment_intent"]}
            )
        )

    async def expire_session(self, session_id: str) -> None:
        """Close an open Checkout Session."""
        await self._api.checkout.sessions.expire_async(session_id)

    async def get_intent(self, intent_id: str) -> Thing:
        """Return a payment."""
        return _plain(await self._api.payment_intents.retrieve_async(intent_id))

    async def create_refund(self, order: RefundOrder, intent_id: str, amount: int) -> Thing:
        """Give a part of a payment back."""
        return _plain(
            await self._api.refunds.create_async(
                {
                    "payment_intent": intent_id,
                    "amount": amount,
                    "reason": "requested_by_customer",
                    "metadata": {
                        "refund_id": str(order.refund_id),
                        "payment_id": str(order.payment_id),
                    },
                },
                {"idempotency_key": f"refund:{order.refund_id}"},
            )
        )

    async def list_refunds(
        self, *, payment_intent: str | None = None, charge: str | None = None
    ) -> AsyncIterator[Thing]:
        """Yield the refunds of a payment or of a charge."""
        params: RefundListParams = {"limit": _PAGE}
        if payment_intent is not None:
            params["payment_intent"] = payment_intent
        if charge is not None:
            params["charge"] = charge
        page = await self._api.refunds.list_async(params)
        async for refund in page.auto_paging_iter():
            yield _plain(refund)

    async def list_disputes(self, intent_id: str) -> AsyncIterator[Thing]:
        """Yield the disputes of a payment."""
        params: DisputeListParams = {"payment_intent": intent_id, "limit": _PAGE}
        page = await self._api.disputes.list_async(params)
        async for dispute in page.auto_paging_iter():
            yield _plain(dispute)

    async def list_bookings(self, since: datetime, until: datetime) -> AsyncIterator[Thing]:
        """Yield the balance transactions of a period with what caused them."""
        page = await self._api.balance_transactions.list_async(
            {
                "created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())},
                "expand": ["data.source"],
                "limit": _PAGE,
            }
        )
        async for booking in page.auto_paging_iter():
            yield _plain(booking)


def _plain(thing: stripe.StripeObject) -> dict[str, Any]:
    return thing.to_dict()
