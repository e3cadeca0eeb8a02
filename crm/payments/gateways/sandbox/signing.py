"""Signs the sandbox's webhooks, and reads them back: HMAC over time and body."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from crm.errors import RuleBroken, Unauthenticated
from crm.journal.audit import canonical
from crm.money import Money
from crm.payments.gateways.protocol import EventKind, GatewayEvent
from crm.payments.gateways.sandbox.models import NAME

HEADER = "sandbox-signature"
TOLERANCE = timedelta(minutes=5)


def write_body(event: GatewayEvent) -> bytes:
    """Return an event as the JSON that is delivered."""
    return canonical(
        {
            "id": event.event_id,
            "kind": event.kind,
            "payment_id": event.payment_id,
            "checkout": event.gateway_ref,
            "amount_minor": event.amount.amount_minor if event.amount else None,
            "currency": event.amount.currency if event.amount else None,
            "refund_id": str(event.refund_id) if event.refund_id else None,
            "occurred_at": event.occurred_at,
        }
    )


def sign(body: bytes, secret: bytes, at: datetime) -> str:
    """Return the header's value: when it was signed, and the signature."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_mac(body, secret, seconds)}"


def check_signature(
    headers: Mapping[str, str], body: bytes, secret: bytes, *, now: datetime
) -> None:
    """Let pass what was signed with the secret within the tolerance.

    Raises: Unauthenticated("webhook.signature" | "webhook.stale").
    """
    said = (part.partition("=") for part in headers.get(HEADER, "").split(","))
    parts = {name.strip(): value for name, _, value in said}
    signed_at, given = parts.get("t", ""), parts.get("v1", "")
    if not (signed_at.isascii() and signed_at.isdecimal() and len(signed_at) <= 12):
        raise Unauthenticated("webhook.signature", "The signature is missing.")
    if not hmac.compare_digest(_mac(body, secret, int(signed_at)).encode(), given.encode()):
        raise Unauthenticated("webhook.signature", "The signature does not match.")
    if abs(now - datetime.fromtimestamp(int(signed_at), UTC)) > TOLERANCE:
        raise Unauthenticated("webhook.stale", "The signature is too old.")


def read_body(body: bytes) -> GatewayEvent:
    """Return the event that a checked webhook reports.

    Raises: RuleBroken("webhook.malformed").
    """
    try:
        said: dict[str, Any] = json.loads(body)
        minor, refund_id = said["amount_minor"], said["refund_id"]
        return GatewayEvent(
            gateway=NAME,
            event_id=str(said["id"]),
            kind=cast(EventKind, said["kind"]),
            payment_id=UUID(said["payment_id"]),
            gateway_ref=str(said["checkout"]),
            amount=None if minor is None else Money(int(minor), str(said["currency"])),
            occurred_at=datetime.fromisoformat(said["occurred_at"]),
            refund_id=UUID(refund_id) if refund_id else None,
        )
    except (ValueError, KeyError, TypeError, RecursionError) as broken:
        raise RuleBroken("webhook.malformed", "The webhook cannot be read.") from broken


def _mac(body: bytes, secret: bytes, seconds: int) -> str:
    return hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
