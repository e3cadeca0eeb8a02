"""Says in our words why a call to Stripe failed."""

from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from crm.errors import NotFound, OrientaError, Unavailable
from crm.payments.gateways.protocol import GatewayRefused


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn the SDK's errors into ours.

    Raises:
        Unavailable: trying again may help, perhaps only after somebody has put the keys right.
        NotFound("gateway.unknown"), GatewayRefused("gateway.refused"): it will not.
    """
    try:
        yield
    except stripe.StripeError as failure:
        raise _ours(failure) from failure


def was_replayed(failure: stripe.StripeError) -> bool:
    """Return whether Stripe only repeats what the first call with the same key got."""
    headers = {name.lower(): value for name, value in (failure.headers or {}).items()}
    return headers.get("idempotent-replayed") == "true"


def _ours(failure: stripe.StripeError) -> OrientaError:
    if isinstance(failure, stripe.RateLimitError):
        return Unavailable("gateway.rate_limited", "The payment gateway asks for patience.")
    if isinstance(failure, stripe.AuthenticationError | stripe.PermissionError):
        return Unavailable("gateway.credentials", "The payment gateway does not accept our keys.")
    if isinstance(failure, stripe.InvalidRequestError) and failure.code == "resource_missing":
        return NotFound("gateway.unknown", "The payment gateway does not know this payment.")
    if isinstance(failure, stripe.InvalidRequestError | stripe.CardError | stripe.IdempotencyError):
        return GatewayRefused("gateway.refused", "The payment gateway refuses this.")
    return Unavailable("gateway.unavailable", "The payment gateway does not answer.")
