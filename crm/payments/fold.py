"""A payment's state as a fold of its facts, the same in any order and multiplicity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from crm.payments.models import Fact, FactKind, PaymentStatus, RefundId, RefundStatus


@dataclass(frozen=True, slots=True)
class RefundState:
    """What became of one refund."""

    amount_minor: int
    status: RefundStatus


@dataclass(frozen=True, slots=True)
class OpenCheckout:
    """Where the payer pays."""

    gateway_ref: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentState:
    """What a payment's facts amount to.

    What was given back or lost is never more than what was taken, even while the fact of the
    taking is still on its way.
    """

    status: PaymentStatus
    captured_minor: int
    refunded_minor: int
    refund_pending_minor: int
    disputed_minor: int
    lost_minor: int
    refunds: Mapping[RefundId, RefundState]
    refunded_outside_minor: int
    checkout: OpenCheckout | None

    @property
    def settled_minor(self) -> int:
        """Return what it pays of its invoice."""
        return (
            self.captured_minor - self.refunded_minor - self.refund_pending_minor - self.lost_minor
        )


def fold(facts: Iterable[Fact]) -> PaymentState:
    """Fold facts into a state.

    Taken money counts whatever else is told: a capture outweighs failed, expired and voided. A
    failed refund outweighs a done one, which outweighs one that we gave up. A lost dispute
    outweighs a won one.
    """
    told = _Told({fact.source_key: fact for fact in facts}.values())
    captured = told.total("completed", default=told.total("initiated"))
    refunds = told.refunds()
    done = sum(r.amount_minor for r in refunds.values() if r.status == "done")
    pending = sum(r.amount_minor for r in refunds.values() if r.status == "pending")
    outside = max(0, told.outside("refunded") - told.outside("refund_failed"))
    refunded = min(captured, done + outside)
    disputed = told.total("disputed", default=captured)
    lost_of_it = told.total("dispute_lost", default=disputed)
    won = told.total("dispute_won", default=disputed)
    lost = min(captured - refunded, lost_of_it)
    left = captured - refunded - lost
    state = PaymentState(
        status="initiated",
        captured_minor=captured,
        refunded_minor=refunded,
        refund_pending_minor=min(left, pending),
        disputed_minor=min(left, max(0, disputed - won - lost_of_it)),
        lost_minor=lost,
        refunds=refunds,
        refunded_outside_minor=outside,
        checkout=told.checkout(),
    )
    return _with_status(state, told.kinds)


class _Told:
    """Distinct facts, and sums over them."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._facts = tuple(facts)
        self.kinds = frozenset(fact.kind for fact in self._facts)

    def of(self, kind: FactKind) -> list[Fact]:
        return [fact for fact in self._facts if fact.kind == kind]

    def total(self, kind: FactKind, *, default: int = 0) -> int:
        return sum(_minor(fact, default) for fact in self.of(kind))

    def outside(self, kind: FactKind) -> int:
        """Sum what was done at the gateway itself, without an order of ours."""
        return sum(_minor(fact, 0) for fact in self.of(kind) if fact.refund_id is None)

    def refunds(self) -> dict[RefundId, RefundState]:
        asked = self._by_refund("refund_requested", {})
        given = self._by_refund("refunded", asked)
        failed = {f.refund_id for f in self.of("refund_failed")}
        given_up = {f.refund_id for f in self.of("refund_given_up")}
        found: dict[RefundId, RefundState] = {}
        for refund_id, amount in (asked | given).items():
            status: RefundStatus = "done" if refund_id in given else "pending"
            if refund_id in failed or (status == "pending" and refund_id in given_up):
                status = "failed"
            found[refund_id] = RefundState(amount, status)
        return found

    def _by_refund(self, kind: FactKind, default: Mapping[RefundId, int]) -> dict[RefundId, int]:
        """Return the amount of each refund, the smallest where contradictory ones are told."""
        found: dict[RefundId, int] = {}
        for fact in self.of(kind):
            if fact.refund_id is not None:
                amount = _minor(fact, default.get(fact.refund_id, 0))
                found[fact.refund_id] = min(amount, found.get(fact.refund_id, amount))
        return found

    def checkout(self) -> OpenCheckout | None:
        opened = sorted(self.of("checkout_opened"), key=lambda f: (f.occurred_at, f.source_key))
        if not opened:
            return None
        data = opened[-1].data
        return OpenCheckout(
            data["gateway_ref"], data["url"], datetime.fromisoformat(data["expires_at"])
        )


def _minor(fact: Fact, default: int) -> int:
    return default if fact.amount is None else fact.amount.amount_minor


def _with_status(state: PaymentState, kinds: frozenset[FactKind]) -> PaymentState:
    return replace(state, status=_taken(state) or _expected(kinds))


def _taken(state: PaymentState) -> PaymentStatus | None:
    """Return the status of a payment whose money was taken."""
    if state.captured_minor == 0:
        return None
    if state.disputed_minor:
        return "disputed"
    if state.lost_minor:
        return "charged_back"
    if state.refunded_minor:
        return "refunded" if state.refunded_minor == state.captured_minor else "partly_refunded"
    return "completed"


#: Of what happened, the first of these decides about a payment without money.
_EXPECTED: tuple[tuple[FactKind, PaymentStatus], ...] = (
    ("voided", "voided"),
    ("failed", "failed"),
    ("expired", "expired"),
    ("authorized", "authorized"),
    ("checkout_opened", "pending"),
)


def _expected(kinds: frozenset[FactKind]) -> PaymentStatus:
    return next((status for kind, status in _EXPECTED if kind in kinds), "initiated")
