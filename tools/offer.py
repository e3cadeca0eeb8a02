"""What somebody is shown when they are asked to agree to a call."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm.money import Money

if TYPE_CHECKING:
    from crm.messaging.confirmations.models import FrozenCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The terms of a frozen call; executing it checks that they still hold.

    Args:
        summary: one sentence that says what acceptance will do.
        price: what is to be paid; below zero what goes back.
        quote_id: the price that was frozen for them.
        hold_id: the seat that is held for them.
    """

    summary: str
    price: Money | None = None
    quote_id: str | None = None
    hold_id: str | None = None


def offer_of(call: "FrozenCall") -> Offer:
    """Return the terms that a call was frozen with."""
    price = None
    if call.price_minor is not None and call.currency is not None:
        price = Money(call.price_minor, call.currency)
    return Offer(summary=call.summary, price=price, quote_id=call.quote_id, hold_id=call.hold_id)
