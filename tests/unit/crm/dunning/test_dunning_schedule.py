"""Every due date is at one step a day at most, and passes through all of them."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.money import Money
from crm.payments.dunning.models import Schedule, template_of
from crm.payments.dunning.wording import amount_in_words, day_in_words

TODAY = date(2026, 11, 24)
SCHEDULES = st.builds(
    Schedule,
    st.sets(st.integers(-30, 60), min_size=1, max_size=8).map(lambda steps: tuple(sorted(steps))),
    st.integers(0, 10),
)


@settings(derandomize=True)
@given(SCHEDULES, st.integers(-120, 120))
def test_due_date_is_in_one_window_at_most(schedule: Schedule, days: int) -> None:
    due_on = TODAY + timedelta(days=days)
    within = [w.step for w in schedule.windows(TODAY) if w.first <= due_on <= w.last]
    passed = [step for step in schedule.steps if due_on + timedelta(days=step) <= TODAY]
    assert len(within) <= 1
    if within:
        assert within == [passed[-1]] == [schedule.step_on(due_on, TODAY)]
    else:
        too_late = due_on + timedelta(days=schedule.steps[-1] + schedule.grace_days) < TODAY
        assert not passed or too_late


@settings(derandomize=True)
@given(SCHEDULES)
def test_every_step_comes_in_its_order(schedule: Schedule) -> None:
    days = (TODAY + timedelta(days=n) for n in range(-40, 90))
    seen = [schedule.step_on(TODAY, day) for day in days]
    assert tuple(dict.fromkeys(step for step in seen if step is not None)) == schedule.steps


@pytest.mark.parametrize("steps", [(), (3, 0), (0, 0)])
def test_schedule_that_makes_no_sense_is_refused(steps: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        Schedule(steps)


def test_words_follow_the_step() -> None:
    words = [template_of(step).rpartition("_")[2] for step in (-3, 0, 7)]
    assert words == ["before", "due", "overdue"]


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (Money(1_890_50, "USD"), "USD 1,890.50"),
        (Money(1_890_00, "USD"), "USD 1,890"),
        (Money(1_234_567, "KWD"), "KWD 1,234.567"),
        (Money(189_000, "CLP"), "CLP 189,000"),
        (Money(5, "USD"), "USD 0.05"),
    ],
)
def test_amounts_read_exactly(amount: Money, words: str) -> None:
    assert amount_in_words(amount) == words


def test_days_read_in_both_languages() -> None:
    assert day_in_words(date(2026, 12, 7), "es") == "7 de diciembre de 2026"
    assert day_in_words(date(2026, 12, 7), "en") == "7 December 2026"
