"""The enrolment's state machine leads from every state to its end, whatever has happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.courses.models import CohortId
from crm.courses.seats.models import HoldId
from crm.errors import RuleBroken
from crm.ids import PersonId, new_id
from crm.workflows.enrolment.models import EnrolmentFacts, next_step, plan_dates
from crm.workflows.models import Become, Do, MoneyFacts, Park, Saga, SagaId, Wait, wait_after

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
BILLED = MoneyFacts(invoice="open", is_paying=True, was_asked=True)


def saga(**facts: Any) -> Saga:
    told = {
        "id": SagaId(new_id()),
        "kind": "enrolment",
        "status": "running",
        "step": "reserve",
        "person_id": PersonId(new_id()),
        "cohort_id": CohortId(new_id()),
        "hold_id": HoldId(new_id()),
        "context": {},
        "deadline": NOW + timedelta(minutes=40),
        "effect_key": "k",
        "next_run_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Saga(**(told | facts))


def facts(**given: Any) -> EnrolmentFacts:
    return EnrolmentFacts(**({"net_minor": 100, "is_held": True} | given))


def undoing(**more: Any) -> Saga:
    return saga(status="compensating", failure="payment.failed", **more)


@pytest.mark.parametrize(
    ("so_far", "so", "move"),
    [
        (saga(), facts(), Do("bill")),
        (saga(), facts(money=BILLED), Wait(NOW + timedelta(minutes=40))),
        (saga(), facts(net_minor=0), Do("confirm")),
        (saga(), facts(money=replace(BILLED, is_covered=True)), Do("confirm")),
        (saga(), facts(enrolment="confirmed"), Do("record")),
        (saga(context={"recorded": "yes"}), facts(enrolment="confirmed"), Do("tell")),
        (
            saga(context={"recorded": "yes", "told": "sent"}),
            facts(enrolment="confirmed"),
            Become("completed"),
        ),
        (
            saga(),
            facts(money=replace(BILLED, is_paying=False)),
            Become("compensating", "payment.failed"),
        ),
        (
            saga(),
            facts(money=MoneyFacts(invoice="cancelled")),
            Become("compensating", "invoice.cancelled"),
        ),
        (saga(deadline=NOW), facts(money=BILLED), Become("compensating", "payment.late")),
        (saga(deadline=NOW), facts(), Become("compensating", "payment.late")),
    ],
)
def test_forward_each_state_has_its_next_step(so_far: Saga, so: EnrolmentFacts, move: Any) -> None:
    assert next_step(so_far, so, NOW) == move


def test_payment_after_the_hold_expired_still_tries_for_a_seat() -> None:
    paid = facts(is_held=False, money=replace(BILLED, is_covered=True))
    assert next_step(saga(deadline=NOW), paid, NOW) == Do("confirm")


def test_money_taken_by_hand_without_any_gateway_confirms() -> None:
    waiting = facts(money=MoneyFacts(invoice="open"))
    assert next_step(saga(), waiting, NOW) == Wait(NOW + timedelta(minutes=40))
    by_hand = facts(money=MoneyFacts(invoice="open", is_covered=True, was_asked=True))
    assert next_step(saga(), by_hand, NOW) == Do("confirm")


def test_backward_undoes_all_in_order() -> None:
    taken = MoneyFacts(invoice="open", refundable_minor=100)
    cancelled = replace(taken, invoice="cancelled")
    back = MoneyFacts(invoice="cancelled", is_refunding=True)
    assert next_step(undoing(), facts(money=taken), NOW) == Do("cancel_invoice")
    assert next_step(undoing(), facts(money=cancelled), NOW) == Do("refund")
    assert next_step(undoing(), facts(money=back), NOW) == Do("cancel_quote")
    given_up = {"money": back, "quote_stands": False}
    assert next_step(undoing(), facts(**given_up), NOW) == Do("release")
    enrolled = facts(**given_up, enrolment="confirmed", is_held=False)
    assert next_step(undoing(), enrolled, NOW) == Do("withdraw")
    gone = facts(**given_up, is_held=False)
    assert next_step(undoing(), gone, NOW) == Do("tell_undone")
    told = undoing(context={"told_undone": "sent"})
    assert next_step(told, gone, NOW) == Wait()
    returned = replace(gone, money=MoneyFacts(invoice="cancelled"))
    assert next_step(told, returned, NOW) == Become("compensated", "payment.failed")


def test_capture_after_the_end_goes_back() -> None:
    late = facts(
        is_held=False, quote_stands=False, money=MoneyFacts("cancelled", refundable_minor=100)
    )
    undone = saga(status="compensated", failure="payment.late")
    assert next_step(undone, late, NOW) == Do("refund")


def test_second_payment_of_the_enrolled_goes_back() -> None:
    twice = facts(
        enrolment="confirmed", money=MoneyFacts("open", refundable_minor=200, excess_minor=100)
    )
    assert next_step(saga(status="completed"), twice, NOW) == Do("refund_excess")
    withdrawn = replace(twice, money=replace(twice.money, invoice="cancelled"))
    assert next_step(saga(status="completed"), withdrawn, NOW) == Wait()


def test_refund_that_keeps_failing_waits_for_somebody() -> None:
    stuck = facts(money=MoneyFacts("cancelled", refundable_minor=100, failed_refunds=3))
    assert next_step(undoing(), stuck, NOW) == Park("refund.failed")
    assert next_step(undoing(context={"forgiven": 3}), stuck, NOW) == Do("refund")


@given(
    net=st.sampled_from([0, 100]),
    pays=st.sampled_from(["in time", "late", "never", "fails"]),
    seat_is_lost=st.booleans(),
    cancelled_after=st.none() | st.integers(0, 6),
    crash_every=st.integers(1, 4),
)
@settings(derandomize=True, max_examples=300)
def test_every_story_ends_enrolled_and_paid_or_undone(
    net: int, pays: str, seat_is_lost: bool, cancelled_after: int | None, crash_every: int
) -> None:
    """A world of one saga, in which steps may be lost before they commit."""
    it, so, now, steps = saga(), facts(net_minor=net), NOW, 0
    for turn in range(200):
        if cancelled_after == turn and it.status == "running":
            it = replace(it, status="compensating", failure="cancelled")
        move = next_step(it, so, now)
        if isinstance(move, Become):
            it = replace(it, status=move.status, failure=move.failure)
        elif isinstance(move, Wait):
            if it.status in ("completed", "compensated"):
                break
            so, now = _happen(so, pays, now, move)
        else:
            assert isinstance(move, Do)
            steps += 1
            if steps % (crash_every + 1) == 0:  # the process died before the commit
                continue
            it, so = _take(it, so, move.step, seat_is_lost=seat_is_lost)
    assert it.status in ("completed", "compensated")
    if it.status == "completed":
        assert so.enrolment == "confirmed"
        assert net == 0 or so.money.is_covered
    else:
        assert so.enrolment != "confirmed"
        assert not so.is_held
        assert not so.quote_stands
        assert so.money.refundable_minor == 0
        assert so.money.invoice != "open"


def _happen(
    so: EnrolmentFacts, pays: str, now: datetime, wait: Wait
) -> tuple[EnrolmentFacts, datetime]:
    """Let the gateway or the clock do what comes next while the saga waits."""
    if so.money.is_refunding:
        return replace(so, money=replace(so.money, is_refunding=False)), now
    if not so.money.is_paying:
        return so, wait.until or now
    paid = replace(so.money, is_paying=False, is_covered=True, refundable_minor=100)
    if pays == "in time":
        return replace(so, money=paid), now
    if pays == "late":
        return replace(so, money=paid, is_held=False), now + timedelta(hours=1)
    if pays == "fails":
        return replace(so, money=replace(so.money, is_paying=False)), now
    return replace(so, is_held=False), wait.until or now


def _take(
    it: Saga, so: EnrolmentFacts, step: str, *, seat_is_lost: bool
) -> tuple[Saga, EnrolmentFacts]:
    if step == "confirm" and seat_is_lost and not so.is_held:
        return replace(it, status="compensating", failure="hold.lost"), so
    note = {"record": "recorded", "tell": "told", "tell_undone": "told_undone"}.get(step)
    if note is not None:
        assert note not in it.context, "told twice"
        return replace(it, context={**it.context, note: "yes"}), so
    cancelled = replace(so.money, invoice="cancelled", is_paying=False)
    refunding = replace(so.money, refundable_minor=0, is_refunding=True)
    outcomes: dict[str, dict[str, Any]] = {
        "bill": {"money": BILLED},
        "confirm": {"enrolment": "confirmed", "is_held": False},
        "cancel_invoice": {"money": cancelled},
        "refund": {"money": refunding},
        "cancel_quote": {"quote_stands": False},
        "withdraw": {"enrolment": "ended"},
        "release": {"is_held": False},
    }
    return it, replace(so, **outcomes[step])


def test_plan_is_monthly_and_short_months_end_early() -> None:
    assert plan_dates(date(2026, 11, 30), 4) == (
        date(2026, 11, 30),
        date(2026, 12, 30),
        date(2027, 1, 30),
        date(2027, 2, 28),
    )
    with pytest.raises(RuleBroken, match=r"instalments\.dates"):
        plan_dates(date(2026, 11, 30), 0)


def test_patience_doubles_up_to_five_minutes() -> None:
    assert [wait_after(n) for n in (1, 2, 3, 40)] == [
        timedelta(seconds=1),
        timedelta(seconds=2),
        timedelta(seconds=4),
        timedelta(minutes=5),
    ]
