"""What somebody is shown when they are asked to agree to a call."""

from dataclasses import dataclass
from typing import Protocol

from crm.money import Money


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


class Terms(Protocol):
    """The terms of an offer as they are stored, whoever has to agree to them."""

    @property
    def summary(self) -> str:
        """Return what was shown."""

    @property
    def price_minor(self) -> int | None:
        """Return the price's amount in minor units."""

    @property
    def currency(self) -> str | None:
        """Return the price's currency."""

    @property
    def quote_id(self) -> str | None:
        """Return the price that was frozen."""

    @property
    def hold_id(self) -> str | None:
        """Return the seat that is held."""


def offer_of(terms: Terms) -> Offer:
    """Return the terms that a call was frozen with."""
    price = None
    if terms.price_minor is not None and terms.currency is not None:
        price = Money(terms.price_minor, terms.currency)
    return Offer(summary=terms.summary, price=price, quote_id=terms.quote_id, hold_id=terms.hold_id)
