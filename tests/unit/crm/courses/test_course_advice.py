"""What speaks against a course, one rule at a time."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from crm.courses.advice.models import RunningClass, StudyRecord, Wishes
from crm.courses.advice.rules import judge_course
from crm.courses.models import (
    Bilingual,
    BilingualLines,
    Cohort,
    CohortId,
    Course,
    CourseDetail,
    CourseRef,
    Schedule,
)
from crm.ids import new_id
from crm.money import Money

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
BEFORE = CourseRef("DAT-101", Bilingual("Excel", "Excel"))
EVENINGS = Schedule(("mon", "wed"), time(19), time(21))

COURSE = Course(
    code="DAT-201",
    area="DAT",
    level="intermediate",
    language="es",
    title=Bilingual("Datos", "Data"),
    summary=Bilingual("Datos.", "Data."),
    outcomes=BilingualLines((), ()),
    keywords=(),
    hours=40,
    weeks=10,
    hours_per_week=4,
    price=Money(15_000, "USD"),
    certificate=True,
    updated_at=NOW,
)


def group(**changes: Any) -> Cohort:
    cohort = Cohort(
        id=CohortId(new_id()),
        code="DAT-201-A",
        course_code="DAT-201",
        starts_on=date(2026, 12, 14),
        ends_on=date(2027, 2, 22),
        enrolment_closes=date(2026, 12, 11),
        modality="online",
        campus=None,
        schedule=EVENINGS,
        seats=10,
        blocked_seats=0,
        seats_taken=3,
        price=Money(15_000, "USD"),
        status="open",
        updated_at=NOW,
    )
    return replace(cohort, **changes)


def detail(*cohorts: Cohort, prerequisites: tuple[CourseRef, ...] = ()) -> CourseDetail:
    return CourseDetail(COURSE, prerequisites, cohorts or (group(),))


def codes(
    found: CourseDetail, record: StudyRecord | None = None, wishes: Wishes | None = None
) -> list[str]:
    verdict = judge_course(found, record or StudyRecord(), wishes or Wishes(), today=TODAY)
    return [obstacle.code for obstacle in verdict.obstacles]


def test_nothing_speaks_against_a_course_that_fits():
    wishes = Wishes(
        days=frozenset({"mon", "wed", "fri"}),
        earliest=time(18),
        latest=time(22),
        modality="online",
        language="es",
        budget=Money(15_000, "USD"),
    )
    assert codes(detail(prerequisites=(BEFORE,)), StudyRecord(completed=frozenset({"DAT-101"})),
                 wishes) == []  # fmt: skip


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (StudyRecord(completed=frozenset({"DAT-201"})), "taken"),
        (StudyRecord(current=frozenset({"DAT-201"})), "taken"),
        (StudyRecord(refused=frozenset({"DAT-201"})), "refused"),
    ],
)
def test_taken_and_refused_courses_are_barred(record: StudyRecord, code: str):
    verdict = judge_course(detail(), record, Wishes(), today=TODAY)
    assert [o.code for o in verdict.obstacles] == [code]
    assert verdict.is_barred


def test_only_completed_courses_meet_a_prerequisite():
    record = StudyRecord(current=frozenset({"DAT-101"}))
    verdict = judge_course(detail(prerequisites=(BEFORE,)), record, Wishes(), today=TODAY)
    assert [(o.code, o.courses) for o in verdict.obstacles] == [("prerequisites", (BEFORE,))]
    assert verdict.is_barred


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        (Wishes(days=frozenset({"mon", "fri"})), "schedule"),
        (Wishes(earliest=time(19, 30)), "schedule"),
        (Wishes(latest=time(20)), "schedule"),
        (Wishes(modality="onsite"), "modality"),
        (Wishes(language="en"), "language"),
        (Wishes(budget=Money(14_999, "USD")), "budget"),
        (Wishes(budget=Money(99_999, "PEN")), "currency"),
    ],
)
def test_a_wish_that_is_not_met_is_named(wishes: Wishes, code: str):
    verdict = judge_course(detail(), StudyRecord(), wishes, today=TODAY)
    assert [o.code for o in verdict.obstacles] == [code]
    assert not verdict.is_barred


def test_price_that_is_too_high_is_told():
    verdict = judge_course(
        detail(group(price=Money(20_000, "USD"))),
        StudyRecord(),
        Wishes(budget=Money(10_000, "USD")),
        today=TODAY,
    )
    assert verdict.obstacles[0].price == Money(20_000, "USD")


def test_full_group_is_said_to_be_full():
    assert codes(detail(group(seats_taken=8, seats_held=2))) == ["full"]


@pytest.mark.parametrize(
    "closed",
    [{"status": "closed"}, {"enrolment_closes": date(2026, 11, 23)}],
)
def test_without_a_group_to_enrol_in_there_is_none(closed: dict[str, Any]):
    verdict = judge_course(detail(group(**closed)), StudyRecord(), Wishes(), today=TODAY)
    assert verdict.group is None
    assert [o.code for o in verdict.obstacles] == ["no_group"]


@pytest.mark.parametrize(
    ("changes", "clashes"),
    [
        ({}, True),
        ({"schedule": Schedule(("wed",), time(20, 59), time(22))}, True),
        ({"schedule": Schedule(("wed",), time(21), time(22))}, False),
        ({"schedule": Schedule(("tue",), time(19), time(21))}, False),
        ({"ends_on": date(2026, 12, 13)}, False),
    ],
)
def test_classes_at_the_same_time_clash(changes: dict[str, Any], clashes: bool):
    running = RunningClass(BEFORE, date(2026, 10, 1), date(2026, 12, 20), EVENINGS)
    record = StudyRecord(classes=(replace(running, **changes),))
    verdict = judge_course(detail(), record, Wishes(), today=TODAY)
    expected = [("clash", (BEFORE,))] if clashes else []
    assert [(o.code, o.courses) for o in verdict.obstacles] == expected


def test_later_group_that_fits_goes_before_a_sooner_one_that_does_not():
    later = group(code="DAT-201-B", starts_on=date(2027, 1, 11), modality="onsite")
    verdict = judge_course(
        detail(group(), later), StudyRecord(), Wishes(modality="onsite"), today=TODAY
    )
    assert verdict.group == later
    assert verdict.obstacles == ()


def test_of_groups_that_fit_alike_the_soonest_counts():
    later = group(code="DAT-201-B", starts_on=date(2027, 1, 11))
    verdict = judge_course(detail(later, group()), StudyRecord(), Wishes(), today=TODAY)
    assert verdict.group is not None
    assert verdict.group.code == "DAT-201-A"
