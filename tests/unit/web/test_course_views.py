"""What pages say of courses and cohorts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

from api.web.catalogue import Locale
from api.web.course_views import (
    Catalogue,
    CohortRow,
    cards_of,
    cohort_row,
    soonest_cards,
    time_zone_note,
)
from api.web.institution import load_institution
from crm.courses.models import (
    Bilingual,
    BilingualLines,
    Cohort,
    CohortId,
    Course,
    Schedule,
)
from crm.money import Money

TODAY = date(2026, 12, 1)
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def _course(code: str, area: str = "DAT") -> Course:
    return Course(
        code=code,
        area=area,
        level="intro",
        language="es",
        title=Bilingual(f"Curso {code}", f"Course {code}"),
        summary=Bilingual("Resumen", "Summary"),
        outcomes=BilingualLines((), ()),
        keywords=(),
        hours=24,
        weeks=6,
        hours_per_week=4,
        price=Money(10000, "USD"),
        certificate=True,
        updated_at=NOW,
    )


def _cohort(course: str, starts_in: int = 14, **changes: object) -> Cohort:
    starts_on = TODAY + timedelta(days=starts_in)
    cohort = Cohort(
        id=CohortId(uuid4()),
        code=f"{course}-A",
        course_code=course,
        starts_on=starts_on,
        ends_on=starts_on + timedelta(weeks=6),
        enrolment_closes=starts_on - timedelta(days=3),
        modality="hybrid",
        campus="norte",
        schedule=Schedule(("mon", "wed"), time(19), time(21)),
        seats=20,
        blocked_seats=0,
        seats_taken=0,
        price=Money(12000, "USD"),
        status="open",
        updated_at=NOW,
    )
    return replace(cohort, **changes)  # type: ignore[arg-type]


def _row(cohort: Cohort, locale: Locale = "es") -> CohortRow:
    return cohort_row(cohort, locale, today=TODAY, institution=load_institution())


def test_card_shows_the_price_and_date_of_the_cohort_that_starts_soonest() -> None:
    catalogue = Catalogue((_course("A"), _course("B")), {"A": _cohort("A")})
    first, second = cards_of(catalogue, "es")
    assert first.price.endswith("120")
    assert first.start == "15 dic 2026"
    assert second.price.endswith("100")
    assert second.start == ""


def test_front_page_shows_one_course_of_each_area_before_a_second_of_any() -> None:
    courses = (_course("A"), _course("B"), _course("C", "IDI"))
    soonest = {"A": _cohort("A", 5), "B": _cohort("B", 6), "C": _cohort("C", 30)}
    assert [c.code for c in soonest_cards(Catalogue(courses, soonest), 2, "es")] == ["A", "C"]
    assert [c.code for c in soonest_cards(Catalogue(courses, soonest), 9, "es")] == ["A", "C", "B"]


def test_row_names_place_times_and_the_last_day_to_enrol() -> None:
    row = _row(_cohort("A"))
    assert row.place == "Semipresencial, Sede Norte"
    assert row.schedule == "lunes y miércoles, 19:00 a 21:00"
    assert row.closes == "12 dic 2026"
    assert row.is_open


def test_seats_are_counted_out_only_when_few_are_left() -> None:
    assert _row(_cohort("A")).seats == "Hay vacantes"
    assert _row(_cohort("A", seats_taken=17)).seats == "Quedan 3"
    assert _row(_cohort("A", seats_taken=20)).seats == "Completo"
    assert _row(_cohort("A", seats_taken=20), "en").seats == "Full"


def test_cohort_past_its_closing_day_is_not_offered() -> None:
    row = _row(_cohort("A", starts_in=2))
    assert row.seats == "Matrícula cerrada"
    assert not row.is_open


def test_note_names_the_clock_of_the_times() -> None:
    assert time_zone_note("America/Lima", NOW, "es") == "Horarios en hora de Lima (GMT-5)."
    assert "Kolkata time (GMT+5:30)" in time_zone_note("Asia/Kolkata", NOW, "en")
