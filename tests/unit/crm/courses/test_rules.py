"""The catalogue's rules, on any input that hypothesis can think of."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crm.courses import rules
from crm.courses.commands import CreateCohort, UpdateCohort
from crm.courses.models import Cohort, CohortId, Schedule
from crm.errors import RuleBroken
from crm.money import Money

TODAY = date(2026, 11, 24)
EVENINGS = Schedule(("mon", "wed"), time(19), time(21))
COHORT = Cohort(
    id=CohortId(UUID(int=1)),
    code="DAT-101-A",
    course_code="DAT-101",
    starts_on=TODAY + timedelta(days=13),
    ends_on=TODAY + timedelta(days=60),
    enrolment_closes=TODAY + timedelta(days=10),
    modality="online",
    campus=None,
    schedule=EVENINGS,
    seats=20,
    blocked_seats=2,
    seats_taken=5,
    price=Money(8900, "USD"),
    status="open",
    updated_at=datetime(2026, 11, 1, tzinfo=UTC),
)

amounts = st.integers(0, 10**12)
percents = st.integers(0, 100)


@given(price=amounts, percent=percents, cap=amounts)
def test_reduction_is_whole_and_never_exceeds_cap_nor_percent(
    price: int, percent: int, cap: int
) -> None:
    net = rules.net_price(Money(price, "USD"), percent, Money(cap, "USD"))
    reduction = price - net.amount_minor
    assert type(net.amount_minor) is int
    assert 0 <= reduction <= min(cap, price)
    assert reduction * 100 <= price * percent
    assert reduction == cap or reduction * 100 > price * percent - 100


def test_reduction_is_rounded_down() -> None:
    assert rules.net_price(Money(999, "USD"), 10, Money(500, "USD")) == Money(900, "USD")


@pytest.mark.parametrize("percent", [-1, 101])
def test_reduction_outside_0_to_100_percent_is_refused(percent: int) -> None:
    with pytest.raises(RuleBroken, match=r"discount\.percent"):
        rules.net_price(Money(100, "USD"), percent, Money(100, "USD"))


def test_cap_of_another_currency_is_refused() -> None:
    with pytest.raises(RuleBroken, match=r"money\.currency"):
        rules.net_price(Money(100, "USD"), 10, Money(100, "PEN"))


edges = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25)


def _graph(pairs: list[tuple[int, int]]) -> dict[str, list[str]]:
    graph: dict[str, list[str]] = {}
    for course, before in pairs:
        graph.setdefault(f"C{course}", []).append(f"C{before}")
    return graph


@given(edges)
def test_prerequisites_of_earlier_courses_only_are_acyclic(pairs: list[tuple[int, int]]) -> None:
    rules.assert_acyclic(_graph([(max(p), min(p)) for p in pairs if p[0] != p[1]]))


@given(edges)
def test_circle_is_refused_exactly_when_some_course_reaches_itself(
    pairs: list[tuple[int, int]],
) -> None:
    reach = {(a, b) for a, b in pairs}
    for middle in range(10):  # Warshall's closure
        reach |= {(a, d) for a, b in reach if b == middle for c, d in reach if c == middle}
    if any((node, node) in reach for node in range(10)):
        with pytest.raises(RuleBroken, match=r"course\.prerequisites\.cycle"):
            rules.assert_acyclic(_graph(pairs))
    else:
        rules.assert_acyclic(_graph(pairs))


@given(seats=st.integers(1, 500), blocked=st.integers(0, 500), taken=st.integers(0, 600))
def test_seats_left_is_what_nobody_has_and_never_negative(
    seats: int, blocked: int, taken: int
) -> None:
    assume(blocked <= seats)
    cohort = replace(COHORT, seats=seats, blocked_seats=blocked, seats_taken=taken)
    assert cohort.seats_left == (seats - blocked - taken if seats > blocked + taken else 0)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "closed"},
        {"status": "cancelled"},
        {"enrolment_closes": TODAY - timedelta(days=1)},
        {"seats_taken": 18},
    ],
)
def test_closed_cancelled_late_and_full_cohorts_are_not_enrollable(
    change: dict[str, object],
) -> None:
    assert rules.is_enrollable(COHORT, TODAY)
    assert not rules.is_enrollable(replace(COHORT, **change), TODAY)


def test_last_day_of_enrolment_still_counts() -> None:
    assert rules.is_enrollable(COHORT, COHORT.enrolment_closes)


def test_next_cohort_is_the_soonest_that_takes_anybody() -> None:
    full = replace(COHORT, code="full", seats_taken=18, starts_on=COHORT.enrolment_closes)
    late = replace(COHORT, code="late", starts_on=COHORT.starts_on + timedelta(days=30))
    assert rules.next_cohort([late, full, COHORT], TODAY) == COHORT
    assert rules.next_cohort([full], TODAY) is None


@given(
    start=st.dates(date(2020, 1, 1), date(2035, 1, 1)),
    weeks=st.integers(1, 60),
    days=st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1),
)
def test_last_day_lies_in_the_last_week(start: date, weeks: int, days: set[str]) -> None:
    end = rules.last_day(start, weeks, days)
    monday = start - timedelta(days=start.weekday())
    assert start <= end <= monday + timedelta(weeks=weeks, days=-1)


def test_evening_course_of_six_weeks_ends_on_its_sixth_wednesday() -> None:
    assert rules.last_day(date(2026, 12, 7), 6, ["mon", "wed"]) == date(2027, 1, 13)


@given(seats=st.integers(-5, 60), blocked=st.integers(-5, 60), taken=st.integers(0, 40))
def test_change_never_leaves_fewer_seats_than_are_taken(
    seats: int, blocked: int, taken: int
) -> None:
    cohort = replace(COHORT, seats=40, blocked_seats=0, seats_taken=taken)
    change = UpdateCohort(code=cohort.code, seats=seats, blocked_seats=blocked)
    if seats >= 1 and blocked >= 0 and taken + blocked <= seats:
        rules.check_cohort_change(cohort, change)
    else:
        with pytest.raises(RuleBroken, match=r"cohort\.seats"):
            rules.check_cohort_change(cohort, change)


NEW = CreateCohort(
    code="DAT-101-Z",
    course_code="DAT-101",
    starts_on=TODAY + timedelta(days=13),
    enrolment_closes=TODAY + timedelta(days=10),
    modality="online",
    schedule=EVENINGS,
    seats=20,
)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"enrolment_closes": TODAY + timedelta(days=14)}, "cohort.dates"),
        ({"starts_on": TODAY + timedelta(days=90)}, "cohort.dates"),
        ({"schedule": replace(EVENINGS, days=())}, "cohort.schedule"),
        ({"schedule": replace(EVENINGS, days=("lun",))}, "cohort.schedule"),
        ({"schedule": replace(EVENINGS, end_time=time(19))}, "cohort.schedule"),
        ({"seats": 0}, "cohort.seats"),
        ({"blocked_seats": 21}, "cohort.seats"),
        ({"price": Money(-1, "USD")}, "cohort.price"),
        ({"price": Money(1, "usd")}, "cohort.price"),
    ],
)
def test_impossible_cohort_is_refused(change: dict[str, object], code: str) -> None:
    end = TODAY + timedelta(days=60)
    rules.check_new_cohort(NEW, ends_on=end)
    with pytest.raises(RuleBroken) as refusal:
        rules.check_new_cohort(replace(NEW, **change), ends_on=end)
    assert refusal.value.code == code
