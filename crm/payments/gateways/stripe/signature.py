"""Checks `Stripe-Signature` with the SDK, and its time by our own clock."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe

from crm.errors import RuleBroken, Unauthenticated

HEADER = "stripe-signature"
#: As Stripe's own libraries take it.
TOLERANCE = timedelta(minutes=5)


def read_signed(
    headers: Mapping[str, str], body: bytes, secret: str, *, now: datetime
) -> Mapping[str, Any]:
    """Return the event that Stripe signed.

    Raises:
        Unauthenticated("webhook.signature" | "webhook.stale").
        RuleBroken("webhook.malformed").
    """
    header = headers.get(HEADER, "")
    try:
        stripe.WebhookSignature.verify_header(body, header, secret)
    except (stripe.SignatureVerificationError, UnicodeError, ValueError, OverflowError) as forged:
        raise Unauthenticated("webhook.signature", "The signature does not match.") from forged
    if abs(now - _signed_at(header)) > TOLERANCE:
        raise Unauthenticated("webhook.stale", "The signature is too old.")
    return _event(body)


def _signed_at(header: str) -> datetime:
    """Return when it was signed; the signature, checked before, covers this."""
    said = next(part for part in header.split(",") if part.startswith("t="))
    try:
        return datetime.fromtimestamp(int(said.removeprefix("t=")), UTC)
    except (ValueError, OverflowError) as absurd:
        raise Unauthenticated("webhook.stale", "The signature is too old.") from absurd


def _event(body: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
        thing = event["data"]["object"]
        if isinstance(event["type"], str) and isinstance(thing, dict):
            return dict(event)
    except (ValueError, KeyError, TypeError, RecursionError) as broken:
        raise RuleBroken("webhook.malformed", "The webhook cannot be read.") from broken
    raise RuleBroken("webhook.malformed", "The webhook cannot be read.")
