"""Facts follow from the catalogue's rules: what can be enrolled in, at the group's own price."""

from datetime import UTC, date, datetime, time
from uuid import uuid4

from crm.courses.models import (
    Bilingual,
    BilingualLines,
    Cohort,
    CohortId,
    CohortStatus,
    Course,
    CourseDetail,
    CourseRef,
    Schedule,
)
from crm.money import Money
from evals.truths import course_facts

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
REF = CourseRef("PRG-101", Bilingual("Introducción a la programación", "Introduction"))


def _cohort(
    code: str, day: date, *, left: int, price: int, status: CohortStatus = "open"
) -> Cohort:
    return Cohort(
        id=CohortId(uuid4()),
        code=code,
        course_code="DAT-201",
        starts_on=day,
        ends_on=date(2027, 2, 1),
        enrolment_closes=day,
        modality="online",
        campus=None,
        schedule=Schedule(("mon",), time(19), time(21)),
        seats=20,
        blocked_seats=0,
        seats_taken=20 - left,
        price=Money(price, "USD"),
        status=status,
        updated_at=NOW,
    )


def _detail(*cohorts: Cohort, prerequisites: tuple[CourseRef, ...] = ()) -> CourseDetail:
    words = Bilingual("Python", "Python")
    course = Course(
        code="DAT-201",
        area="DAT",
        level="intro",
        language="es",
        title=words,
        summary=words,
        outcomes=BilingualLines((), ()),
        keywords=(),
        hours=40,
        weeks=10,
        hours_per_week=4,
        price=Money(18900, "USD"),
        certificate=True,
        updated_at=NOW,
    )
    return CourseDetail(course, prerequisites, cohorts)


def test_full_group_is_passed_over() -> None:
    full = _cohort("A", date(2026, 12, 1), left=0, price=18900)
    free = _cohort("B", date(2026, 12, 7), left=3, price=20900)
    facts = course_facts(_detail(full, free), TODAY)
    assert facts["next_start"].told_in("empieza el 7 de diciembre")
    assert not facts["next_start"].told_in("empieza el 1 de diciembre")
    assert facts["price"].told_in("USD 209.00")
    assert not facts["price"].told_in("USD 189.00")
    assert facts["list_price"].told_in("USD 189.00")
    assert facts["seats_left"].told_in("quedan 3 vacantes")
    assert facts["schedule"].told_in("lunes, 19:00–21:00")
    assert not facts["schedule"].told_in("lunes, 19:00–20:00")
    assert facts["modality"].told_in("modalidad en línea")


def test_without_a_group_there_is_nothing_to_say_about_one() -> None:
    facts = course_facts(_detail(), TODAY)
    assert {"next_start", "schedule", "seats_left", "modality"} & set(facts) == set()
    assert facts["price"].told_in("189")


def test_prerequisites_may_be_named_by_code_or_in_either_language() -> None:
    facts = course_facts(_detail(prerequisites=(REF,)), TODAY)
    for text in ("Pide PRG-101", "introduccion a la programacion", "Introduction first"):
        assert facts["prerequisites"].told_in(text)
    assert not facts["prerequisites"].told_in("No pide nada")
    assert "prerequisites" not in course_facts(_detail(), TODAY)
