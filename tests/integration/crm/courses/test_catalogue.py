"""Finding and changing courses on a real database."""

import asyncio
from dataclasses import replace
from datetime import date, time
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel, Role
from crm.courses.commands import CreateCohort
from crm.courses.models import Bilingual, CourseContent, Schedule
from crm.courses.service import CourseService
from crm.errors import Conflict, Denied, NotFound, RuleBroken
from crm.ids import INSTITUTION, SubjectId
from crm.journal.idempotency import IdempotencyKey
from crm.money import Money

if TYPE_CHECKING:
    from conftest import Catalogue

ADVISOR = Actor(SubjectId(UUID(int=7)), level=IdentityLevel.VERIFIED, role=Role.ADVISOR)


async def test_courses_come_in_the_order_asked_and_unknown_ones_are_left_out(
    service: CourseService,
) -> None:
    found = await service.find_courses(["PRG-101", "XXX-999", "dat-110", "PRG-101"])
    assert [d.course.code for d in found] == ["PRG-101", "DAT-110"]


async def test_unknown_names_are_not_found(service: CourseService) -> None:
    with pytest.raises(NotFound, match=r"course\.unknown"):
        await service.get_course("XXX-999")
    with pytest.raises(NotFound, match=r"cohort\.unknown"):
        await service.get_cohort("XXX-999-A")
    with pytest.raises(NotFound, match=r"programme\.unknown"):
        await service.get_programme("XXX")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("¿Cuánto cuesta el curso de SQL?", "DAT-110"),
        ("python para analisis", "DAT-201"),
        ("Data Analysis", "DAT-201"),
        ("pyton desde zero", "PRG-101"),
        ("dat-110", "DAT-110"),
    ],
)
async def test_title_is_found_without_accents_with_typos_in_both_languages_or_by_code(
    service: CourseService, text: str, first: str
) -> None:
    matches = await service.match_titles(text)
    assert matches[0].code == first


async def test_withdrawn_course_and_unrelated_text_match_nothing(service: CourseService) -> None:
    assert await service.match_titles("¿Qué tiempo hará mañana en Lisboa?") == ()
    assert "PRG-001" not in [m.code for m in await service.match_titles("python perforadas")]


async def test_pages_follow_each_other_without_gap_or_repeat(service: CourseService) -> None:
    first = await service.list_courses(limit=2)
    second = await service.list_courses(limit=2, cursor=first.next_cursor)
    assert [c.code for c in first.items] == ["DAT-110", "DAT-201"]
    assert [c.code for c in second.items][:1] == ["PRG-101"]
    assert second.next_cursor is None


async def test_filters_narrow_the_list(service: CourseService) -> None:
    page = await service.list_courses(area="DAT", level="intermediate", language="es")
    assert [c.code for c in page.items] == ["DAT-201"]
    assert "PRG-001" in [c.code for c in (await service.list_courses(active=False)).items]


async def test_index_gets_every_active_course(service: CourseService) -> None:
    codes = [course.code async for course in service.active_courses_for_index()]
    assert codes == ["DAT-110", "DAT-201", "PRG-101"]


async def test_cursor_that_is_not_ours_is_refused(service: CourseService) -> None:
    for cursor in ("%%%", "W10"):
        with pytest.raises(RuleBroken, match=r"page\.cursor"):
            await service.list_cohorts(cursor=cursor)


async def test_prerequisites_are_shown_and_circles_refused(service: CourseService) -> None:
    await service.set_prerequisites("DAT-201", ("PRG-101",), actor=SERVICE_ACTOR)
    await service.set_prerequisites("PRG-101", ("DAT-110",), actor=SERVICE_ACTOR)

    with pytest.raises(RuleBroken, match=r"course\.prerequisites\.cycle"):
        await service.set_prerequisites("DAT-110", ("DAT-201",), actor=SERVICE_ACTOR)
    with pytest.raises(NotFound, match=r"course\.unknown"):
        await service.set_prerequisites("DAT-110", ("XXX-999",), actor=SERVICE_ACTOR)

    assert [p.code for p in (await service.get_course("DAT-201")).prerequisites] == ["PRG-101"]
    assert (await service.get_course("DAT-110")).prerequisites == ()


async def test_two_writers_at_once_cannot_close_a_circle(
    service: CourseService, python_course: CourseContent
) -> None:
    for code in ("CIR-1", "CIR-2"):
        await service.upsert_course(
            replace(python_course, code=code, active=False), actor=SERVICE_ACTOR
        )
    for _ in range(5):
        outcomes = await asyncio.gather(
            service.set_prerequisites("CIR-1", ("CIR-2",), actor=SERVICE_ACTOR),
            service.set_prerequisites("CIR-2", ("CIR-1",), actor=SERVICE_ACTOR),
            return_exceptions=True,
        )
        assert [type(o) for o in outcomes].count(RuleBroken) == 1
        for code in ("CIR-1", "CIR-2"):
            await service.set_prerequisites(code, (), actor=SERVICE_ACTOR)


async def test_change_commits_with_one_event_and_one_record(
    catalogue: "Catalogue", python_course: CourseContent
) -> None:
    events = "SELECT count(*) FROM outbox WHERE name = 'CourseChanged'"
    records = "SELECT count(*) FROM audit_events WHERE action = 'course.upsert'"
    before = (await catalogue.count(events), await catalogue.count(records))

    changed = replace(python_course, price=Money(15900, "USD"))
    course = await catalogue.service.upsert_course(changed, actor=SERVICE_ACTOR)

    assert course.price == Money(15900, "USD")
    assert (await catalogue.count(events), await catalogue.count(records)) == tuple(
        n + 1 for n in before
    )


async def test_refused_change_leaves_no_trace(
    catalogue: "Catalogue", python_course: CourseContent
) -> None:
    count = "SELECT count(*) FROM outbox"
    before = await catalogue.count(count)
    service = catalogue.service
    with pytest.raises(NotFound, match=r"area\.unknown"):
        await service.upsert_course(replace(python_course, area="XXX"), actor=SERVICE_ACTOR)
    with pytest.raises(RuleBroken, match=r"course\.text"):
        await service.upsert_course(
            replace(python_course, title=Bilingual("Solo en español", " ")), actor=SERVICE_ACTOR
        )
    with pytest.raises(Denied):
        await service.upsert_course(python_course, actor=ADVISOR)
    assert await catalogue.count(count) == before


async def test_students_and_advisors_open_no_cohort(catalogue: "Catalogue") -> None:
    cohort = await catalogue.open_cohort()
    command = _again(cohort.code, "X")
    for actor in (Actor(INSTITUTION), ADVISOR):
        with pytest.raises(Denied, match=r"auth\.role"):
            await catalogue.service.create_cohort(command, actor=actor)


async def test_code_of_a_cohort_is_taken_once(catalogue: "Catalogue") -> None:
    cohort = await catalogue.open_cohort()
    with pytest.raises(Conflict, match=r"cohort\.exists"):
        await catalogue.open_cohort(code=cohort.code)
    with pytest.raises(NotFound, match=r"course\.unknown"):
        await catalogue.open_cohort("XXX-999")


async def test_cohort_takes_price_and_length_from_its_course(catalogue: "Catalogue") -> None:
    course = (await catalogue.service.get_course("DAT-201")).course
    cohort = await catalogue.open_cohort("DAT-201")
    assert cohort.price == course.price
    assert (cohort.ends_on - cohort.starts_on).days == course.weeks * 7 - 5


async def test_repeated_key_returns_the_first_result_even_after_a_change(
    catalogue: "Catalogue", python_course: CourseContent
) -> None:
    key = IdempotencyKey("http:test", "put-1", ADVISOR.subject_id)
    service = catalogue.service
    content = replace(python_course, code="IDE-1", active=False)
    first = await service.upsert_course(content, actor=SERVICE_ACTOR, idempotency=key)
    await service.upsert_course(replace(content, hours=99), actor=SERVICE_ACTOR)

    again = await service.upsert_course(content, actor=SERVICE_ACTOR, idempotency=key)

    assert again == first
    assert (await service.get_course("IDE-1")).course.hours == 99
    with pytest.raises(Conflict, match=r"idempotency\.mismatch"):
        await service.upsert_course(
            replace(content, hours=98), actor=SERVICE_ACTOR, idempotency=key
        )


async def test_repeated_opening_of_a_cohort_opens_one(catalogue: "Catalogue") -> None:
    cohort = await catalogue.open_cohort()
    key = IdempotencyKey("http:test", "cohort-1", ADVISOR.subject_id)
    command = _again(cohort.code, "Y")
    results = [
        await catalogue.service.create_cohort(command, actor=SERVICE_ACTOR, idempotency=key)
        for _ in range(2)
    ]
    assert results[0] == results[1]


def _again(code: str, suffix: str) -> CreateCohort:
    return CreateCohort(
        code=f"{code}-{suffix}",
        course_code="PRG-101",
        starts_on=date(2027, 1, 4),
        enrolment_closes=date(2027, 1, 1),
        modality="hybrid",
        campus="centro",
        schedule=Schedule(("sat",), time(9), time(13)),
        seats=12,
    )
