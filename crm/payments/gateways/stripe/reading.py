"""Reads Stripe's objects as events: pure rules.

An event's id names the object and what became of it, so that a webhook, its repetition and a
later fetch say the same.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from crm.money import Money
from crm.payments.gateways.protocol import EventKind, GatewayEvent, RefundResult, RefundState
from crm.payments.gateways.stripe.amounts import from_stripe

NAME = "stripe"
Thing = Mapping[str, Any]

REFUND_EVENTS = frozenset(
    {"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"}
)
_REFUND_STATES: Mapping[str, RefundState] = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "done",
    "failed": "failed",
    "canceled": "failed",
}
#: What each state of a dispute implies; inquiries (`warning_…`) move no money.
_DISPUTE_EVENTS: Mapping[str, tuple[EventKind, ...]] = {
    "needs_response": ("disputed",),
    "under_review": ("disputed",),
    "won": ("disputed", "dispute_won"),
    "lost": ("disputed", "dispute_lost"),
}


def id_of(thing: Thing | str | None) -> str | None:
    """Return the id of something that Stripe gives whole or by its id."""
    return thing if thing is None or isinstance(thing, str) else str(thing["id"])


def uuid_in(thing: Thing, key: str) -> UUID | None:
    """Return an id of ours that something of Stripe's carries."""
    try:
        return UUID(str((thing.get("metadata") or {}).get(key)))
    except ValueError:
        return None


def money_of(thing: Thing, key: str = "amount") -> Money:
    """Return an amount that Stripe names."""
    return from_stripe(int(thing[key]), str(thing["currency"]))


def time_of(thing: Thing) -> datetime:
    """Return when something of Stripe's was made."""
    return datetime.fromtimestamp(int(thing["created"]), UTC)


def events_of_session(
    session: Thing, payment_id: UUID, at: datetime, *, failed: bool = False
) -> tuple[GatewayEvent, ...]:
    """Return what a checkout's state says.

    Args:
        failed: the payment method took the order and then failed.
    """
    kind = _session_kind(session, failed=failed)
    if kind is None:
        return ()
    paying = kind in ("authorized", "completed")
    return (
        GatewayEvent(
            gateway=NAME,
            event_id=f"{session['id']}:{kind}",
            kind=kind,
            payment_id=payment_id,
            gateway_ref=str(session["id"]),
            amount=money_of(session, "amount_total") if paying else None,
            occurred_at=at,
        ),
    )


def _session_kind(session: Thing, *, failed: bool) -> EventKind | None:
    if session.get("payment_status") == "paid":
        return "completed"
    if failed:
        return "failed"
    kinds: Mapping[str, EventKind] = {"expired": "expired", "complete": "authorized"}
    return kinds.get(str(session.get("status")))


def events_of_refund(refund: Thing, payment_id: UUID, at: datetime) -> tuple[GatewayEvent, ...]:
    """Return how a refund ended, if it has."""
    state = refund_state(refund)
    if state == "pending":
        return ()
    kind: EventKind = "refunded" if state == "done" else "refund_failed"
    return (
        GatewayEvent(
            gateway=NAME,
            event_id=f"{refund['id']}:{kind}",
            kind=kind,
            payment_id=payment_id,
            gateway_ref=id_of(refund.get("payment_intent")) or str(id_of(refund.get("charge"))),
            amount=money_of(refund),
            occurred_at=at,
            refund_id=uuid_in(refund, "refund_id"),
        ),
    )


def events_of_dispute(dispute: Thing, payment_id: UUID, at: datetime) -> tuple[GatewayEvent, ...]:
    """Return what a dispute's state says, the steps before it included."""
    return tuple(
        GatewayEvent(
            gateway=NAME,
            event_id=f"{dispute['id']}:{kind}",
            kind=kind,
            payment_id=payment_id,
            gateway_ref=id_of(dispute.get("payment_intent")) or str(id_of(dispute.get("charge"))),
            amount=money_of(dispute),
            occurred_at=at,
        )
        for kind in _DISPUTE_EVENTS.get(str(dispute.get("status")), ())
    )


def refund_state(refund: Thing) -> RefundState:
    """Return a refund's state in our words."""
    return _REFUND_STATES.get(str(refund.get("status")), "pending")


def result_of_refund(refund: Thing) -> RefundResult:
    """Return what became of a refund so far."""
    state = refund_state(refund)
    reason = str(refund.get("failure_reason") or "failed")
    return RefundResult(str(refund["id"]), state, f"refund.{reason}" if state == "failed" else None)
