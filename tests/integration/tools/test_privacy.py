"""Nobody reads another: profile, tickets, the register, and documents for some readers only."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crm.actor import Role
from crm.ids import SubjectId
from crm.support.commands import OpenTicket
from tools.context import ToolRequest
from tools.results import Failed, NeedsConfirmation, Ok, Refused

if TYPE_CHECKING:
    from tests.integration.tools.conftest import Office, Talk
    from tools.results import ToolResult


async def call(office: Office, talk: Talk, tool: str, **arguments: object) -> ToolResult:
    return await office.runner.call(
        talk.context, ToolRequest(tool=tool, arguments=arguments, step=0, index=0)
    )


async def open_ticket(office: Office, talk: Talk, title: str) -> None:
    async with office.database.transaction() as uow:
        await office.services.support.open_ticket(
            uow,
            OpenTicket(
                subject_id=talk.actor.subject_id,
                person_id=talk.actor.person_id,
                category="other",
                title=title,
                description="Algo.",
            ),
        )


async def test_student_reads_what_the_institution_holds_about_them(office: Office) -> None:
    talk = await office.student("Ana Pérez")
    assert talk.person is not None
    await open_ticket(office, talk, "Mi certificado")
    result = await call(office, talk, "my_profile")
    assert isinstance(result, Ok)
    assert result.data["full_name"] == "Ana Pérez"
    assert result.data["email"] == talk.person.email
    (ticket,) = result.data["tickets"]  # type: ignore[misc]
    assert ticket["title"] == "Mi certificado"
    assert ticket["opened_at_text"] == "martes, 24 de noviembre de 2026"
    assert await office.outcomes(talk) == [("READ", "ok", "allowed")]


@pytest.mark.parametrize("tool", ["my_profile", "my_tickets"])
async def test_visitor_is_asked_to_verify_first(office: Office, tool: str) -> None:
    talk = await office.visitor()
    result = await call(office, talk, tool)
    assert isinstance(result, Refused)
    assert result.code == "identity.level"
    assert await office.outcomes(talk) == [("READ", "refused", "identity.level")]


@pytest.mark.parametrize("tool", ["my_profile", "my_tickets"])
@pytest.mark.parametrize("name", ["person_id", "id", "email", "subject_id", "actor"])
async def test_identity_in_the_arguments_is_refused(office: Office, tool: str, name: str) -> None:
    talk, other = await office.student(), await office.student("Luis Rojas")
    assert other.person is not None
    result = await call(office, talk, tool, **{name: str(other.person.id)})
    assert isinstance(result, Refused)
    assert result.code == "arguments.invalid"
    assert "Luis" not in repr(result)


async def test_one_student_never_sees_anothers_tickets(office: Office) -> None:
    ana, luis = await office.student("Ana Pérez"), await office.student("Luis Rojas")
    await open_ticket(office, ana, "De Ana")
    await open_ticket(office, luis, "De Luis")
    for talk, own, foreign in ((ana, "De Ana", "De Luis"), (luis, "De Luis", "De Ana")):
        for tool in ("my_tickets", "my_profile"):
            result = await call(office, talk, tool)
            assert isinstance(result, Ok)
            assert own in json.dumps(result.data)
            assert foreign not in json.dumps(result.data)


async def test_verified_session_of_nobody_has_no_profile(office: Office) -> None:
    talk = await office.student()
    nobody = replace(talk, context=replace(talk.context, actor=replace(talk.actor, person_id=None)))
    result = await call(office, nobody, "my_profile")
    assert isinstance(result, Refused)
    assert result.code == "identity.person"


async def test_staff_have_no_profile_of_their_own_here(office: Office) -> None:
    result = await call(office, await office.staff(), "my_profile")
    assert isinstance(result, Refused)
    assert result.code == "tool.role"


@pytest.mark.parametrize("verified", [False, True])
async def test_students_agent_cannot_look_people_up(office: Office, verified: bool) -> None:
    await office.new_person("Ana Pérez")
    talk = await office.student("Luis Rojas") if verified else await office.visitor()
    result = await call(office, talk, "find_person", name="Ana Pérez")
    assert isinstance(result, Refused)
    assert result.code == "tool.staff_only"
    assert "@" not in repr(result)
    assert await office.outcomes(talk) == [("READ", "refused", "tool.staff_only")]
    assert "find_person" not in {s.name for s in office.runner.available(talk.actor)}


@pytest.mark.parametrize("by", ["email", "name"])
async def test_advisors_agent_finds_a_person(office: Office, by: str) -> None:
    person = await office.new_person(f"Rosario Quispe {by}")
    talk = await office.staff()
    said = {"email": person.email, "name": person.full_name}[by]
    result = await call(office, talk, "find_person", **{by: said})
    assert isinstance(result, Ok)
    first = result.data["people"][0]  # type: ignore[index]
    assert first["person_id"] == str(person.id)
    assert first["email"] == person.email


async def test_record_of_a_search_for_people_outlives_no_erasure(office: Office) -> None:
    person = await office.new_person("Wilfredo Mamani")
    talk = await office.staff()
    await call(office, talk, "find_person", name="Wilfredo Mamani")
    page = await office.journal.list_audit_events({"action": "find_person"}, cursor=None, limit=200)
    record = next(r for r in page.items if r.header["staff_id"] == talk.actor.staff_id)
    assert record.payload["result"] == {"people": [str(person.id)]}
    assert record.payload["arguments"] == {"by": ["name"]}


@pytest.mark.parametrize(
    "arguments", [{}, {"name": "Ana", "email": "ana@correo.example"}, {"name": None}]
)
async def test_person_is_looked_for_by_exactly_one_thing(
    office: Office, arguments: dict[str, object]
) -> None:
    result = await call(office, await office.staff(), "find_person", **arguments)
    assert isinstance(result, Refused)
    assert result.code == "arguments.invalid"


async def test_service_may_not_look_people_up(office: Office) -> None:
    result = await call(office, await office.staff(Role.SERVICE), "find_person", name="Ana")
    assert isinstance(result, Refused)
    assert result.code == "tool.role"


async def test_rights_are_the_same_with_and_without_an_agent(office: Office) -> None:
    talks = [
        await office.visitor(),
        await office.student(),
        await office.staff(),
        await office.staff(Role.ADMIN),
        await office.staff(Role.SERVICE),
    ]
    for talk in talks:
        alone = replace(talk.actor, agent=None)
        assert office.runner.available(talk.actor) == office.runner.available(alone)
    names = [{s.name for s in office.runner.available(t.actor)} for t in talks]
    assert names[0] < names[1]
    assert "find_person" in names[2] & names[3]
    assert names[4] == {"lead_score", "score_leads", "propose_action"}


async def test_no_call_of_a_visitor_reaches_a_person(office: Office) -> None:
    """Every tool there is, called by a visitor with its own examples, shows nobody."""
    person = await office.new_person("Encarnación Huamán")
    talk = await office.visitor()
    for index, spec in enumerate(office.runner.available(await _admin(office))):
        for example in spec.examples:
            asked = ToolRequest(tool=spec.name, arguments=example, step=1, index=index)
            result = await office.runner.call(talk.context, asked)
            assert isinstance(result, Ok | Refused | NeedsConfirmation | Failed)
            assert "Encarnación" not in repr(result)
            assert str(person.email) not in repr(result)


async def _admin(office: Office) -> object:
    return (await office.staff(Role.ADMIN)).actor


async def test_subject_of_a_record_is_the_actors_own(office: Office) -> None:
    talk = await office.student()
    await call(office, talk, "my_profile")
    (record,) = await office.records(talk)
    assert SubjectId(record.header["subject_id"]) == talk.actor.subject_id  # type: ignore[arg-type]
