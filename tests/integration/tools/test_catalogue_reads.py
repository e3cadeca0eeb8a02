"""What the reading tools say, against the demo institution's own rows and documents."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from crm.actor import SERVICE_ACTOR
from crm.courses.commands import UpdateCohort
from tools.context import ToolRequest
from tools.results import Ok, Refused, Source
from tools.wording import date_text, money_text, schedule_text

if TYPE_CHECKING:
    from tests.integration.tools.conftest import Office, Talk
    from tools.results import ToolResult

TODAY = date(2026, 11, 24)


async def call(office: Office, talk: Talk, tool: str, **arguments: object) -> ToolResult:
    return await office.runner.call(
        talk.context, ToolRequest(tool=tool, arguments=arguments, step=0, index=0)
    )


async def ok(office: Office, talk: Talk, tool: str, **arguments: object) -> Ok:
    result = await call(office, talk, tool, **arguments)
    assert isinstance(result, Ok), result
    return result


async def found(office: Office, talk: Talk, **arguments: object) -> list[dict[str, Any]]:
    result = await ok(office, talk, "search_courses", **arguments)
    courses: Any = result.data["courses"]
    return list(courses)


async def test_price_and_next_start_are_those_of_the_database(institution: Office) -> None:
    talk = await institution.visitor()
    courses = await found(
        institution, talk, query="¿Cuánto cuesta el curso de Python y cuándo empieza?", limit=5
    )
    codes = {c["code"] for c in courses}
    assert {"PRG-101", "DAT-201"} <= codes
    for course in courses:
        cohorts = await institution.services.courses.upcoming_cohorts(course["code"])
        assert course["next_cohort"]["code"] == cohorts[0].code
        assert course["next_cohort"]["starts_on"] == cohorts[0].starts_on.isoformat()
        assert course["next_cohort"]["seats_left"] == cohorts[0].seats_left
        assert course["price"]["amount_minor"] == cohorts[0].price.amount_minor
        assert course["price"]["currency"] == cohorts[0].price.currency


async def test_facts_come_in_the_conversations_words(institution: Office) -> None:
    spanish = await found(institution, await institution.visitor(), query="DAT-101")
    english = await found(institution, await institution.visitor(locale="en"), query="DAT-101")
    assert spanish[0]["title"] == "Excel para la gestión y el análisis"
    assert english[0]["title"] == "Excel for Management and Analysis"
    assert spanish[0]["price"]["text"] == english[0]["price"]["text"] == "USD 89.00"
    cohort = (await institution.services.courses.upcoming_cohorts("DAT-101"))[0]
    for locale, course in (("es", spanish[0]), ("en", english[0])):
        shown = course["next_cohort"]
        assert shown["starts_on_text"] == date_text(cohort.starts_on, locale)  # type: ignore[arg-type]
        assert shown["schedule"] == schedule_text(cohort.schedule, locale)  # type: ignore[arg-type]
    assert spanish[0]["next_cohort"]["schedule"] != english[0]["next_cohort"]["schedule"]


async def test_each_course_can_be_cited(institution: Office) -> None:
    result = await ok(institution, await institution.visitor(), "search_courses", query="DAT-101")
    assert result.sources == (
        Source(
            "course-dat-101",
            "Excel para la gestión y el análisis",
            "/courses/DAT-101",
            TODAY.isoformat(),
        ),
    )
    courses: Any = result.data["courses"]
    assert courses[0]["ref"] == "course-dat-101"
    assert "sources" not in result.data


@pytest.mark.parametrize(
    ("query", "locale", "code"),
    [
        ("quiero aprender a cuidar personas mayores", "es", "SAL-120"),
        ("project management", "en", "NEG-110"),
        ("paneles de energía solar", "es", "TEC-201"),
        ("MKT-101", "en", "MKT-101"),
    ],
)
async def test_wish_finds_its_course(
    institution: Office, query: str, locale: Any, code: str
) -> None:
    talk = await institution.visitor(locale=locale)
    result = await ok(institution, talk, "search_courses", query=query)
    courses: Any = result.data["courses"]
    assert courses[0]["code"] == code


@pytest.mark.parametrize(
    "query", ["¿Qué tiempo hará mañana?", "receta de paella", "who won the world cup"]
)
async def test_names_add_no_confidence_to_what_is_no_course(
    institution: Office, query: str
) -> None:
    result = await ok(institution, await institution.visitor(), "search_courses", query=query)
    searched = await institution.services.knowledge.search(
        query,
        kind="course",
        audiences=frozenset({"public"}),
        on=institution.services.courses.today(),
        query_language="es",
        limit=20,
    )
    assert result.data["confidence"] == round(searched.confidence, 3)


@pytest.mark.parametrize(
    "query", ["¿Cuánto cuesta el curso de Python?", "english course", "MKT-101"]
)
async def test_course_that_is_named_is_meant(institution: Office, query: str) -> None:
    result = await ok(institution, await institution.visitor(), "search_courses", query=query)
    confidence: Any = result.data["confidence"]
    assert confidence >= 0.9


async def test_filters_hold(institution: Office) -> None:
    talk = await institution.visitor()
    courses = await found(
        institution,
        talk,
        area="Datos",
        level="intro",
        modality="online",
        max_price_minor=13_000,
        limit=5,
    )
    assert courses
    for course in courses:
        assert course["code"].startswith("DAT-")
        assert course["level"] == "intro"
        assert course["next_cohort"]["modality"] == "online"
        assert course["price"]["amount_minor"] <= 13_000
    assert await found(institution, talk, query="Python", max_price_minor=1) == []


async def test_unknown_area_is_refused_with_the_areas_there_are(institution: Office) -> None:
    result = await call(
        institution, await institution.visitor(), "search_courses", query="x", area="Cocina"
    )
    assert isinstance(result, Refused)
    assert result.code == "area.unknown"
    assert "DAT (Datos e inteligencia artificial / Data and artificial" in result.message


async def test_withdrawn_course_is_not_shown(institution: Office) -> None:
    talk = await institution.visitor()
    await institution.execute("UPDATE courses SET active = false WHERE code = 'EDU-210'")
    try:
        shown = await found(institution, talk, query="Diseño de cursos virtuales", limit=5)
        assert "EDU-210" not in {c["code"] for c in shown}
        assert await found(institution, talk, query="EDU-210", limit=5) == []
        for tool, argument in (("get_course", "code"), ("list_cohorts", "course_code")):
            result = await call(institution, talk, tool, **{argument: "EDU-210"})
            assert isinstance(result, Refused)
            assert result.code == "course.unknown"
    finally:
        await institution.execute("UPDATE courses SET active = true WHERE code = 'EDU-210'")


async def test_detail_tells_everything_about_a_course(institution: Office) -> None:
    result = await ok(institution, await institution.visitor(), "get_course", code="dat-101")
    data = result.data
    assert data["code"] == "DAT-101"
    assert (data["hours"], data["weeks"], data["certificate"]) == (24, 6, True)
    assert data["price"] == {"amount_minor": 8900, "currency": "USD", "text": "USD 89.00"}
    cohorts: Any = data["cohorts"]
    detail = await institution.services.courses.get_course("DAT-101")
    assert [c["code"] for c in cohorts] == [c.code for c in detail.cohorts[:5]]
    starts = [c["starts_on"] for c in cohorts]
    assert starts == sorted(starts)


async def test_cohorts_are_those_one_can_enrol_in(institution: Office) -> None:
    talk = await institution.visitor()
    result = await ok(institution, talk, "list_cohorts", course_code="DAT-101", limit=10)
    expected = await institution.services.courses.upcoming_cohorts("DAT-101")
    cohorts: Any = result.data["cohorts"]
    assert [c["code"] for c in cohorts] == [c.code for c in expected]
    online = await ok(institution, talk, "list_cohorts", course_code="DAT-101", modality="hybrid")
    found: Any = online.data["cohorts"]
    assert {c["modality"] for c in found} == {"hybrid"}


async def test_full_cohort_gives_way_to_the_next_and_is_counted(institution: Office) -> None:
    courses, talk = institution.services.courses, await institution.visitor()
    first, second, *_ = await courses.upcoming_cohorts("DAT-110")
    before = await ok(institution, talk, "list_cohorts", course_code="DAT-110")
    full = UpdateCohort(code=first.code, blocked_seats=first.blocked_seats + first.seats_left)
    await courses.update_cohort(full, actor=SERVICE_ACTOR)
    (course,) = await found(institution, talk, query="DAT-110")
    assert course["next_cohort"]["code"] == second.code
    listed = await ok(institution, talk, "list_cohorts", course_code="DAT-110")
    assert listed.data["full"] == before.data["full"] + 1  # type: ignore[operator]


async def test_unknown_course_is_refused(institution: Office) -> None:
    talk = await institution.visitor()
    for tool, argument in (("get_course", "code"), ("list_cohorts", "course_code")):
        result = await call(institution, talk, tool, **{argument: "XXX-999"})
        assert isinstance(result, Refused)
        assert result.code == "course.unknown"


async def test_scholarships_say_who_and_how_much_but_not_the_fund(institution: Office) -> None:
    result = await ok(institution, await institution.visitor(locale="en"), "list_scholarships")
    scholarships: Any = result.data["scholarships"]
    by_code = {s["code"]: s for s in scholarships}
    stored = await institution.services.courses.list_scholarships()
    assert by_code.keys() == {s.code for s in stored}
    for scholarship in stored:
        shown = by_code[scholarship.code]
        assert shown["name"] == scholarship.name.en
        assert shown["percent"] == scholarship.percent
        assert shown["cap"]["text"] == money_text(scholarship.cap, "en")
        assert str(scholarship.fund.amount_minor) not in repr(result)


async def test_programmes_tell_fee_and_admission(institution: Office) -> None:
    talk = await institution.visitor()
    listed = await ok(institution, talk, "list_programmes", area="Datos")
    programmes: Any = listed.data["programmes"]
    assert {p["code"] for p in programmes} == {"DIP-DATOS", "MAE-IA"}
    stored = await institution.services.courses.get_programme("DIP-DATOS")
    detail = await ok(institution, talk, "get_programme", code="DIP-DATOS")
    programme: Any = detail.data["programme"]
    assert programme["fee"]["text"] == money_text(stored.fee, "es")
    assert detail.data["admission"] == stored.admission.es
    courses: Any = detail.data["courses"]
    assert tuple(c["code"] for c in courses) == stored.course_codes
    assert [s.ref for s in detail.sources] == [programme["ref"]]


async def test_unknown_programme_is_refused(institution: Office) -> None:
    result = await call(institution, await institution.visitor(), "get_programme", code="NADA")
    assert isinstance(result, Refused)
    assert result.code == "programme.unknown"


async def test_documents_answer_with_their_version(institution: Office) -> None:
    talk = await institution.visitor(locale="en")
    result = await ok(
        institution, talk, "search_knowledge", query="What documents do I need for admission?"
    )
    passages: Any = result.data["passages"]
    assert passages[0]["url"].startswith("/knowledge/kb:admission-requirements:en@1")
    assert passages[0]["language"] == "en"
    by_ref = {s.ref: s for s in result.sources}
    for passage in passages:
        assert by_ref[passage["ref"]].url == passage["url"]
        assert by_ref[passage["ref"]].version == "1"


async def test_passages_of_the_topic_come_first(institution: Office) -> None:
    talk = await institution.visitor()
    asked = {"query": "¿Qué pasa si cancelo y pago en cuotas?", "limit": 6}
    free = await ok(institution, talk, "search_knowledge", **asked)
    topics = [p["topic"] for p in free.data["passages"]]  # type: ignore[attr-defined]
    other = next(t for t in topics if t != topics[0])
    bound = await ok(institution, talk, "search_knowledge", **asked, topic=other)
    bound_topics = [p["topic"] for p in bound.data["passages"]]  # type: ignore[attr-defined]
    assert bound_topics[0] == other
    assert sorted(bound_topics) == sorted(topics)


async def test_internal_documents_reach_staff_only(institution: Office) -> None:
    query = "escalations and refund exceptions, whom to tell and how fast"
    for talk in (
        await institution.visitor(locale="en"),
        await institution.student(locale="en"),
    ):
        result = await ok(institution, talk, "search_knowledge", query=query, limit=6)
        assert "internal" not in repr(result.data)
    staff = await institution.staff()
    english = replace(staff.context, locale="en")
    result = await ok(institution, replace(staff, context=english), "search_knowledge", query=query)
    assert "internal-escalations" in repr(result.data)


@pytest.mark.parametrize("name", ["audience", "audiences", "kind"])
async def test_audience_cannot_be_asked_for(institution: Office, name: str) -> None:
    result = await call(
        institution,
        await institution.visitor(),
        "search_knowledge",
        query="reglas internas",
        **{name: "staff"},
    )
    assert isinstance(result, Refused)
    assert result.code == "arguments.invalid"
