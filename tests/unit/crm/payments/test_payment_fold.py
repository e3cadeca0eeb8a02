"""A payment's state follows from what happened, not from when or how often it was told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.money import Money
from crm.payments.fold import PaymentState, fold
from crm.payments.ledger.models import Account, difference, payment_balances
from crm.payments.models import Fact, FactKind, PaymentStatus, RefundId

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
DEBTOR = UUID(int=7)
REFUNDS = [None, *(RefundId(UUID(int=n)) for n in (1, 2))]


def fact(
    kind: FactKind, amount: int | None = None, *, key: str = "", refund_id: RefundId | None = None
) -> Fact:
    return Fact(
        kind=kind,
        source_key=key or f"{kind}:{refund_id}:{amount}",
        occurred_at=NOW,
        amount=None if amount is None else Money(amount, "PEN"),
        refund_id=refund_id,
        data={"gateway_ref": "c", "url": "u", "expires_at": NOW.isoformat()},
    )


FIXED = settings(derandomize=True, max_examples=300, deadline=None)
BEGUN = fact("initiated", 100)
TAKEN = fact("completed", 100)


def facts() -> st.SearchStrategy[list[Fact]]:
    """What can happen to a payment of 100, however absurd."""
    money = st.none() | st.integers(0, 150)
    plain = st.builds(
        fact,
        st.sampled_from(["checkout_opened", "authorized", "failed", "expired", "voided"]),
        key=st.sampled_from("abc"),
    )
    takes = st.builds(fact, st.just("completed"), money)
    gives = st.builds(
        fact,
        st.sampled_from(["refund_requested", "refunded", "refund_failed", "refund_given_up"]),
        money,
        refund_id=st.sampled_from(REFUNDS),
    )
    fights = st.builds(fact, st.sampled_from(["disputed", "dispute_won", "dispute_lost"]), money)
    some = st.lists(
        st.one_of(plain, takes, gives, fights).map(
            lambda f: replace(f, source_key=f"{f.kind}:{f.source_key}")
        ),
        max_size=12,
        unique_by=lambda f: f.source_key,
    )
    return some.map(lambda told: [BEGUN, *told])


def books(state: PaymentState) -> dict[Account, int]:
    return payment_balances(state, debtor_id=DEBTOR, gateway="g", currency="PEN")


@settings(FIXED)
@given(facts(), st.data())
def test_order_and_multiplicity_change_nothing(told: list[Fact], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(told)))
    shuffled = data.draw(st.permutations([*told, *again]))
    assert fold(shuffled) == fold(told)


@settings(FIXED)
@given(facts())
def test_no_more_goes_than_came_after_any_part_of_the_story(told: list[Fact]) -> None:
    for count in range(1, len(told) + 1):
        state = fold(told[:count])
        assert state.settled_minor >= 0
        assert state.refunded_minor + state.refund_pending_minor <= state.captured_minor
        assert min(state.disputed_minor, state.lost_minor, state.refund_pending_minor) >= 0
        held = next(amount for account, amount in books(state).items() if account.gateway == "g")
        assert held >= 0
        assert sum(books(state).values()) == 0


@settings(FIXED)
@given(facts(), st.data())
def test_what_facts_move_sums_to_the_same_balances_in_any_order(
    told: list[Fact], data: st.DataObject
) -> None:
    def walked(story: list[Fact]) -> dict[Account, int]:
        standing: dict[Account, int] = {}
        for count in range(len(story)):
            moved = difference(books(fold(story[:count])), books(fold(story[: count + 1])))
            assert sum(moved.values()) == 0
            standing = {a: standing.get(a, 0) + moved.get(a, 0) for a in {**standing, **moved}}
        return {account: amount for account, amount in standing.items() if amount}

    assert walked(data.draw(st.permutations(told))) == walked(told)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ([], "initiated"),
        ([fact("checkout_opened")], "pending"),
        ([fact("checkout_opened"), fact("authorized")], "authorized"),
        ([fact("authorized"), fact("failed")], "failed"),
        ([fact("expired")], "expired"),
        ([fact("failed"), fact("voided")], "voided"),
        ([TAKEN], "completed"),
        ([fact("failed"), TAKEN], "completed"),
        ([fact("expired"), TAKEN], "completed"),
        ([fact("voided"), TAKEN], "completed"),
        ([TAKEN, fact("refunded", 40)], "partly_refunded"),
        ([TAKEN, fact("refunded", 100)], "refunded"),
        ([fact("refunded", 100)], "initiated"),
        ([TAKEN, fact("refunded", 40), fact("refund_failed", 40)], "completed"),
        ([TAKEN, fact("disputed", 100)], "disputed"),
        ([TAKEN, fact("disputed", 100), fact("dispute_won", 100)], "completed"),
        ([TAKEN, fact("disputed", 100), fact("dispute_lost", 100)], "charged_back"),
        ([TAKEN, fact("dispute_lost")], "completed"),
    ],
)
def test_late_and_contradictory_facts_have_a_meaning(
    told: list[Fact], status: PaymentStatus
) -> None:
    assert fold([BEGUN, *told]).status == status
    assert fold([*reversed(told), BEGUN]).status == status


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (["refund_requested"], "pending"),
        (["refund_requested", "refunded"], "done"),
        (["refund_requested", "refund_failed"], "failed"),
        (["refund_requested", "refunded", "refund_failed"], "failed"),
        (["refund_requested", "refund_given_up"], "failed"),
        (["refund_requested", "refund_given_up", "refunded"], "done"),
        (["refund_requested", "refund_given_up", "refund_failed"], "failed"),
    ],
)
def test_refund_ends_as_the_gateway_says_last(told: list[FactKind], status: str) -> None:
    refund_id = RefundId(UUID(int=1))
    story = [fact(kind, 40, refund_id=refund_id) for kind in told]
    for order in (story, story[::-1]):
        state = fold([BEGUN, TAKEN, *order])
        assert state.refunds[refund_id].status == status
        assert state.refunded_minor == (40 if status == "done" else 0)
        assert state.refund_pending_minor == (40 if status == "pending" else 0)


def test_second_capture_is_money_taken_too() -> None:
    state = fold([BEGUN, TAKEN, fact("completed", 100, key="another")])
    assert state.captured_minor == 200


def test_newest_checkout_is_where_the_payer_pays() -> None:
    old = fact("checkout_opened", key="old")
    new = replace(
        fact("checkout_opened", key="new"),
        occurred_at=NOW + timedelta(hours=1),
        data={**old.data, "url": "v"},
    )
    for order in ([old, new], [new, old]):
        checkout = fold([BEGUN, *order]).checkout
        assert checkout is not None
        assert checkout.url == "v"
