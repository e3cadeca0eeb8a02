"""Students and staff are advised on courses; what speaks against one is said, refusals are kept."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from api.recommendation import text_of
from crm.actor import SERVICE_ACTOR, IdentityLevel, Role
from crm.ids import new_id
from crm.journal.erasure.service import ErasureService
from retrieval.recommend.training import train
from retrieval.stores.pg_recommenders import save_recommender
from tests.integration.tools.conftest import NOW
from tools.results import Ok, Refused

if TYPE_CHECKING:
    from tests.integration.tools.conftest import Office, Talk
    from tests.integration.tools.counter import Counter

EVERYBODY = "SELECT count(*) FROM course_dismissals"


async def recommend(
    counter: Counter, talk: Talk, tool: str = "recommend_courses", **asked: Any
) -> dict[str, Any]:
    result = await counter.ask(talk, tool, **asked)
    assert isinstance(result, Ok), result
    return result.data


def codes_of(found: dict[str, Any]) -> list[str]:
    return [s["code"] for s in found["suggestions"]]


def against(found: dict[str, Any], code: str) -> set[str]:
    course = next(s for s in found["suggestions"] if s["code"] == code)
    return {o["code"] for o in course["against"]}


async def complete(office: Office, talk: Talk, *courses: str, status: str = "completed") -> None:
    """Let a student have taken some courses."""
    assert talk.person is not None
    for course in courses:
        await office.execute(
            "INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at) "
            "SELECT %s, %s, id, %s, %s FROM cohorts WHERE course_code = %s LIMIT 1",
            *(new_id(), talk.person.id, status, NOW, course),
        )


async def test_visitor_gets_three_courses_that_fit_the_goal_with_their_reasons(
    institution: Office, counter: Counter
) -> None:
    found = await recommend(counter, await institution.visitor(), goal="diseño gráfico")
    assert len(found["suggestions"]) == 3
    assert found["goal_understood"] is True
    first = found["suggestions"][0]
    assert "iseño" in first["title"]
    assert first["reasons"][0]["kind"] == "goals"
    assert found["unsaid"] == ["time", "budget"]
    assert (found["basis"], found["model_version"]) == ("popularity", 0)


async def test_goal_that_no_course_fits_is_not_guessed_at(
    institution: Office, counter: Counter
) -> None:
    found = await recommend(counter, await institution.visitor(), goal="xilofonía zwölfton")
    assert found["goal_understood"] is False
    assert all(r["kind"] != "goals" for s in found["suggestions"] for r in s["reasons"])


async def test_full_or_unaffordable_course_is_never_suggested_without_saying_so(
    institution: Office, counter: Counter
) -> None:
    talk = await institution.visitor()
    wish = {"goal": "diseño gráfico"}
    best = codes_of(await recommend(counter, talk, **wish))[0]
    await institution.execute(
        "UPDATE cohorts SET blocked_seats = seats WHERE course_code = %s", best
    )
    try:
        found = await recommend(counter, talk, **wish, budget_minor=1_000)
        for suggestion in found["suggestions"]:
            codes = {o["code"] for o in suggestion["against"]}
            assert "budget" in codes
            group = suggestion["group"]
            assert ("full" in codes) == (group is not None and group["seats_left"] == 0)
        named = await recommend(counter, talk, "explain_course", code=best, **wish)
        assert [o["code"] for o in named["course"]["against"]] == ["full"]
    finally:
        await institution.execute(
            "UPDATE cohorts SET blocked_seats = 0 WHERE course_code = %s", best
        )


async def test_budget_in_another_currency_is_not_compared(
    institution: Office, counter: Counter
) -> None:
    talk = await institution.visitor()
    found = await recommend(counter, talk, budget_minor=1, currency="PEN")
    assert all({o["code"] for o in s["against"]} >= {"currency"} for s in found["suggestions"])


async def test_courses_taken_are_not_recommended_and_lead_to_others(
    institution: Office, counter: Counter
) -> None:
    talk = await institution.student()
    await complete(institution, talk, "MKT-101")
    found = await recommend(counter, talk)
    assert "MKT-101" not in codes_of(found)
    assert found["basis"] == "content"
    like = await recommend(counter, talk, "explain_course", code="MKT-210")
    reason = like["course"]["reasons"][0]
    assert (reason["kind"], reason["course"]["code"]) == ("resembles", "MKT-101")


async def test_why_not_names_the_prerequisites_that_are_missing(
    institution: Office, counter: Counter
) -> None:
    code, first = "DAT-201", "PRG-101"
    talk = await institution.student()
    found = await recommend(counter, talk, "explain_course", code=code)
    missing = {o["code"]: [c["code"] for c in o["courses"]] for o in found["course"]["against"]}
    assert missing["prerequisites"] == [first]
    await complete(institution, talk, first, status="confirmed")
    assert "prerequisites" in str(await recommend(counter, talk, "explain_course", code=code))
    await institution.execute(
        "UPDATE enrolments SET status = 'completed' WHERE person_id = %s",
        talk.person.id,  # type: ignore[union-attr]
    )
    assert "prerequisites" not in str(await recommend(counter, talk, "explain_course", code=code))


async def test_trained_model_serves_once_there_is_one(
    institution: Office, counter: Counter
) -> None:
    courses = [c async for c in institution.services.courses.active_courses_for_index()]
    codes = [c.code for c in courses]
    crowds = [[codes[i], codes[(i + 1) % 6], codes[(i + 2) % 6]] for i in range(6)] * 30
    crowds += [[c, d] for c, d in pairwise(codes) for _ in range(6)]
    trained = train(crowds, [text_of(c) for c in courses])
    assert trained.kind == "blend"
    talk = await institution.student()
    await complete(institution, talk, codes[0])
    async with institution.database.transaction() as uow:
        await save_recommender(uow.conn, trained, at=NOW, enrolments=1)
    try:
        found = await recommend(counter, talk)
        assert found["basis"] == "trained"
        assert found["model_version"] > 0
        kinds = {r["kind"] for s in found["suggestions"] for r in s["reasons"]}
        assert "taken" in kinds
        assert (await recommend(counter, await institution.visitor()))["basis"] == "popularity"
    finally:
        await institution.execute("DELETE FROM recommenders")
        institution.services.recommenders._held = None  # type: ignore[attr-defined]


async def test_refused_course_is_remembered_by_the_person_and_can_be_taken_back(
    institution: Office, counter: Counter
) -> None:
    talk = await institution.student()
    refused = codes_of(await recommend(counter, talk))[0]
    done = await counter.ask(talk, "dismiss_course", code=refused)
    assert isinstance(done, Ok)
    assert done.data["remembered_by"] == "person"
    elsewhere = await institution.services.conversations.start_session(
        locale="es",
        person_id=talk.person.id,  # type: ignore[union-attr]
    )
    other = replace(
        talk, context=replace(talk.context, conversation_id=elsewhere.session.conversation_id)
    )
    assert refused not in codes_of(await recommend(counter, other))
    explained = await recommend(counter, other, "explain_course", code=refused)
    assert "refused" in {o["code"] for o in explained["course"]["against"]}
    await counter.ask(other, "dismiss_course", code=refused, dismissed=False)
    assert refused in codes_of(await recommend(counter, talk))


async def test_visitors_refusal_stays_in_their_conversation(
    institution: Office, counter: Counter
) -> None:
    one, another = await institution.visitor(), await institution.visitor()
    refused = codes_of(await recommend(counter, one))[0]
    done = await counter.ask(one, "dismiss_course", code=refused)
    assert isinstance(done, Ok)
    assert done.data["remembered_by"] == "conversation"
    assert refused not in codes_of(await recommend(counter, one))
    assert refused in codes_of(await recommend(counter, another))


@pytest.mark.parametrize("tool", ["recommend_courses", "explain_course"])
async def test_students_tools_take_nobody_elses_id_and_no_staff(
    institution: Office, counter: Counter, tool: str
) -> None:
    named = {"code": "PRG-101"} if tool == "explain_course" else {}
    other = await institution.new_person("Otra Persona")
    refused = await counter.ask(await institution.student(), tool, **named, person_id=str(other.id))
    assert isinstance(refused, Refused)
    assert refused.code == "arguments.invalid"
    denied = await counter.ask(await institution.staff(), tool, **named)
    assert isinstance(denied, Refused)
    assert denied.code == "tool.role"


async def test_known_number_without_proof_is_advised_like_a_visitor(
    institution: Office, counter: Counter
) -> None:
    talk = await institution.student()
    await complete(institution, talk, "PRG-101")
    actor = replace(talk.actor, level=IdentityLevel.CHANNEL)
    unproven = replace(talk, context=replace(talk.context, actor=actor))
    found = await recommend(counter, unproven)
    assert "PRG-101" not in str([s["reasons"] for s in found["suggestions"]])
    assert found["basis"] == "popularity"


async def test_advisor_is_advised_for_a_person_and_the_access_is_on_record(
    institution: Office, counter: Counter
) -> None:
    student = await institution.student("Rocío Flores")
    await complete(institution, student, "PRG-101")
    assert student.person is not None
    talk = await institution.staff()
    found = await recommend(
        counter, talk, "recommend_for_person", person_id=str(student.person.id), goal="datos"
    )
    assert len(found["suggestions"]) == 3
    assert "PRG-101" not in codes_of(found)
    page = await institution.journal.list_audit_events(
        {"action": "recommend_for_person"}, cursor=None, limit=50
    )
    record = next(r for r in page.items if r.header["staff_id"] == talk.actor.staff_id)
    assert record.payload["arguments"] == {"person_id": str(student.person.id)}
    kept = record.payload["result"]
    assert kept == {"person_id": str(student.person.id), "courses": codes_of(found)}
    seen = "SELECT count(*) FROM record_accesses WHERE person_id = %s"
    assert await institution.count(seen, student.person.id) == 1


async def test_course_that_a_lead_is_about_comes_first_for_the_advisor(
    institution: Office, counter: Counter
) -> None:
    person = await institution.new_person("Lidia Paz")
    await institution.execute(
        "INSERT INTO leads (id, person_id, source, course_code, term, language, stage, version, "
        "created_at, stage_since, last_activity_at) "
        "VALUES (%s, %s, 'widget', 'MKT-120', '', 'es', 'lead', 1, %s, %s, %s)",
        *(new_id(), person.id, NOW, NOW, NOW),
    )
    found = await recommend(
        counter, await institution.staff(), "recommend_for_person", person_id=str(person.id)
    )
    assert codes_of(found)[0] == "MKT-120"


@pytest.mark.parametrize("who", ["visitor", "student", "service"])
async def test_only_advisors_and_admins_are_advised_for_others(
    institution: Office, counter: Counter, who: str
) -> None:
    talks = {
        "visitor": institution.visitor,
        "student": institution.student,
        "service": lambda: institution.staff(Role.SERVICE),
    }
    person = await institution.new_person("Nadie Más")
    talk = await talks[who]()
    result = await counter.ask(talk, "recommend_for_person", person_id=str(person.id))
    assert isinstance(result, Refused)
    assert result.code in {"tool.staff_only", "tool.role"}


async def test_unknown_person_is_said_to_be_unknown(institution: Office, counter: Counter) -> None:
    talk = await institution.staff()
    result = await counter.ask(talk, "recommend_for_person", person_id=str(new_id()))
    assert isinstance(result, Refused)
    assert result.code == "person.unknown"


async def test_erased_person_leaves_no_refusals(institution: Office, counter: Counter) -> None:
    talk = await institution.student("Para Borrar")
    assert talk.person is not None
    await counter.ask(talk, "dismiss_course", code="PRG-101")
    await ErasureService(institution.database).erase(
        talk.person.id, confirmation="Para Borrar", actor=SERVICE_ACTOR
    )
    count = f"{EVERYBODY} WHERE person_id = %s"
    assert await institution.count(count, talk.person.id) == 0
