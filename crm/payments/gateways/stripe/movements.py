"""Reads Stripe's balance transactions as movements: pure rules."""

from collections.abc import Mapping

from crm.payments.gateways.protocol import Movement, MovementKind
from crm.payments.gateways.stripe.reading import NAME, Thing, money_of, time_of, uuid_in

#: Stripe's type and the kind of object that caused it.
_KINDS: Mapping[tuple[str, str], MovementKind] = {
    ("charge", "charge"): "capture",
    ("payment", "charge"): "capture",
    ("refund", "refund"): "refund",
    ("payment_refund", "refund"): "refund",
    ("refund_failure", "refund"): "refund_failure",
    ("payment_failure_refund", "refund"): "refund_failure",
}


def movement_of(booking: Thing) -> Movement | None:
    """Return a balance transaction as a movement; None for fees, payouts and the like.

    The amount is that of the charge, refund or dispute: the booking's own is in the currency in
    which Stripe settles.
    """
    source = booking.get("source")
    if not isinstance(source, dict):
        return None
    kind = _kind_of(booking, source)
    if kind is None:
        return None
    return Movement(
        gateway=NAME,
        movement_id=str(booking["id"]),
        kind=kind,
        amount=money_of(source),
        booked_at=time_of(booking),
        payment_id=uuid_in(source, "payment_id"),
        refund_id=uuid_in(source, "refund_id"),
    )


def _kind_of(booking: Thing, source: Thing) -> MovementKind | None:
    if booking["type"] == "adjustment" and source.get("object") == "dispute":
        return "dispute" if int(booking["amount"]) < 0 else "dispute_reversal"
    return _KINDS.get((str(booking["type"]), str(source.get("object"))))
