"""Compares two books of the same money: pure rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from crm.money import Money
from crm.payments.gateways.protocol import Movement, MovementKind

Finding = Literal["missing_here", "missing_there", "differing"]
#: (payment, currency); None is money that no order of ours asked for.
Place = tuple[UUID | None, str]

_SIGN: Mapping[MovementKind, int] = {
    "capture": 1,
    "refund": -1,
    "refund_failure": 1,
    "dispute": -1,
    "dispute_reversal": 1,
}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A payment that the two books do not agree on.

    Args:
        here: what the ledger moved on the gateway's clearing account.
        there: what the gateway booked.
        movements: the gateway's names of its bookings.
    """

    finding: Finding
    payment_id: UUID | None
    here: Money
    there: Money
    movements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """What both books say of a currency over the whole time."""

    here: Money
    there: Money


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A gateway's books against ours, from `since` up to, not including, `until`."""

    gateway: str
    since: datetime
    until: datetime
    matched: int
    mismatches: tuple[Mismatch, ...]
    totals: tuple[CurrencyTotal, ...]


@dataclass(slots=True)
class GatewayBook:
    """What a gateway booked, summed up as it is read: a long list takes no memory."""

    sums: dict[Place, int]
    names: dict[Place, tuple[str, ...]]

    def add(self, movement: Movement) -> None:
        """Sum a movement up."""
        place = (movement.payment_id, movement.amount.currency)
        signed = _SIGN[movement.kind] * movement.amount.amount_minor
        self.sums[place] = self.sums.get(place, 0) + signed
        self.names[place] = (*self.names.get(place, ()), movement.movement_id)


def compare(
    here: Mapping[Place, int], there: GatewayBook
) -> tuple[int, tuple[Mismatch, ...], tuple[CurrencyTotal, ...]]:
    """Return how many payments match, those that do not, and the sums of each currency."""
    mismatches: list[Mismatch] = []
    matched = 0
    for place in sorted({*here, *there.sums}, key=str):
        ours, theirs = here.get(place), there.sums.get(place)
        if ours == theirs:
            matched += 1
        elif ours or theirs:
            mismatches.append(_mismatch(place, ours, theirs, there.names.get(place, ())))
    return matched, tuple(mismatches), _totals(here, there.sums)


def _mismatch(
    place: Place, ours: int | None, theirs: int | None, names: tuple[str, ...]
) -> Mismatch:
    payment_id, currency = place
    finding: Finding = "differing"
    if ours is None:
        finding = "missing_here"
    elif theirs is None:
        finding = "missing_there"
    here, there = Money(ours or 0, currency), Money(theirs or 0, currency)
    return Mismatch(finding, payment_id, here, there, names)


def _totals(here: Mapping[Place, int], there: Mapping[Place, int]) -> tuple[CurrencyTotal, ...]:
    currencies: Iterable[str] = sorted({currency for _, currency in {*here, *there}})

    def total(book: Mapping[Place, int], currency: str) -> Money:
        return Money(sum(v for place, v in book.items() if place[1] == currency), currency)

    return tuple(CurrencyTotal(total(here, c), total(there, c)) for c in currencies)
