"""Every tool with which students change something: done once, as agreed, by who may.

The tools are those of the catalogue: one that is added needs its arguments in the table.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.types.json import Jsonb

from crm.actor import IdentityLevel, Role
from tests.integration.tools.changing import CHANGES, Bench
from tools.registry import default_registry
from tools.results import NeedsConfirmation, Ok, Refused
from tools.spec import Effect

if TYPE_CHECKING:
    from tests.integration.crm.courses.conftest import Catalogue
    from tests.integration.tools.conftest import Office

SPECS = {
    spec.name: spec
    for spec in default_registry()
    if spec.effect is not Effect.READ and spec.students
}
AGREED = [name for name, spec in SPECS.items() if spec.approval == "student"]
every_tool = pytest.mark.parametrize("tool", SPECS)


@pytest.fixture
def bench(office: Office, catalogue: Catalogue) -> Bench:
    return Bench(office, catalogue)


def test_every_tool_that_changes_something_is_looked_at() -> None:
    assert SPECS.keys() == CHANGES.keys()


@every_tool
async def test_it_is_done_once_with_its_record(bench: Bench, tool: str) -> None:
    spec, change, talk = SPECS[tool], CHANGES[tool], await bench.office.student()
    request = bench.request(spec, await change.arguments(bench, talk))
    before = await bench.changes(talk, change)

    result = await bench.carry_out(talk, spec, request)

    assert isinstance(result, Ok), result
    assert await bench.changes(talk, change) == before + 1
    records = await bench.office.records(talk, action=tool, outcome="ok")
    done = [
        r.header for r in records if r.header["step"] == request.step or r.header["approval_id"]
    ]
    assert [header["effect"] for header in done] == [spec.effect.value]
    assert done[0]["effect_key"]


@every_tool
async def test_it_is_denied_to_who_may_not(bench: Bench, tool: str) -> None:
    spec, change, student = SPECS[tool], CHANGES[tool], await bench.office.student()
    request = bench.request(spec, await change.arguments(bench, student))
    before = await bench.changes(student, change)
    denied = [
        (await bench.office.staff(role), "tool.role") for role in Role if role not in spec.roles
    ]
    if spec.min_level > IdentityLevel.VISITOR:
        denied.append((await bench.office.visitor(), "identity.level"))
    assert denied, "somebody may not"
    for talk, code in denied:
        refused = await bench.call(talk, request)
        assert isinstance(refused, Refused)
        assert refused.code == code
        (record, *_) = await _latest(bench.office, tool)
        assert (record["outcome"], record["error_code"]) == ("refused", code)
        assert spec not in bench.office.runner.available(talk.actor)
    assert await bench.changes(student, change) == before


async def _latest(office: Office, tool: str) -> list[Any]:
    page = await office.journal.list_audit_events({"action": tool}, cursor=None, limit=1)
    return [record.header for record in page.items]


@every_tool
@pytest.mark.parametrize("name", ["person_id", "email", "subject_id", "conversation_id"])
async def test_it_takes_no_identity(bench: Bench, tool: str, name: str) -> None:
    """Whose it is comes from the session: a tool has no place for another student's id."""
    spec, change = SPECS[tool], CHANGES[tool]
    assert name not in spec.input.model_fields
    ana, eva = await bench.office.student(), await bench.office.student("Eva Lima")
    assert ana.person is not None
    arguments = await change.arguments(bench, ana) | {name: str(ana.person.id)}
    before = await bench.changes(ana, change)

    refused = await bench.call(eva, bench.request(spec, arguments))

    assert isinstance(refused, Refused)
    assert refused.code == "arguments.invalid"
    assert await bench.changes(ana, change) == before
    assert await bench.changes(eva, change) == 0


@pytest.mark.parametrize("tool", [tool for tool, change in CHANGES.items() if change.is_own])
async def test_what_is_anothers_is_unknown(bench: Bench, tool: str) -> None:
    spec, change = SPECS[tool], CHANGES[tool]
    ana, eva = await bench.office.student(), await bench.office.student("Eva Lima")
    arguments = await change.arguments(bench, ana)
    before = await bench.changes(ana, change)

    refused = await bench.call(eva, bench.request(spec, arguments))

    assert isinstance(refused, Refused), refused
    assert refused.code.endswith(".unknown"), refused
    assert await bench.changes(ana, change) == before
    assert await bench.changes(eva, change) == 0


@every_tool
async def test_it_is_done_once_a_key(bench: Bench, tool: str) -> None:
    spec, change, talk = SPECS[tool], CHANGES[tool], await bench.office.student()
    arguments = await change.arguments(bench, talk)
    request = bench.request(spec, arguments)
    before = await bench.changes(talk, change)

    first = await bench.carry_out(talk, spec, request)
    again = await bench.carry_out(talk, spec, request)

    assert isinstance(first, Ok), first
    assert again == replace(first, replayed=True)
    other = await bench.call(talk, replace(request, arguments=arguments | change.other))
    if spec.approval == "advisor":  # what was asked for under this key, whatever is said now
        assert isinstance(other, Ok)
        assert await bench.carry_out(talk, spec, request) == again
    elif spec.approval == "none":
        assert isinstance(other, Refused)
        assert other.code == "idempotency.mismatch"
    else:  # what was shown under this key, whatever is said now
        assert isinstance(other, NeedsConfirmation)
        once_more = await bench.office.runner.execute_confirmed(talk.context, other.confirmation_id)
        assert once_more == again
    assert await bench.changes(talk, change) == before + 1


@pytest.mark.parametrize("tool", AGREED)
async def test_nothing_else_is_done_than_was_agreed_to(bench: Bench, tool: str) -> None:
    spec, change, talk = SPECS[tool], CHANGES[tool], await bench.office.student()
    request = bench.request(spec, await change.arguments(bench, talk))
    before = await bench.changes(talk, change)
    confirmation_id = await bench.accepted(talk, request)
    await bench.office.execute(
        "UPDATE confirmations SET arguments = arguments || %s WHERE id = %s",
        *(Jsonb(dict(change.other)), confirmation_id),
    )

    refused = await bench.office.runner.execute_confirmed(talk.context, confirmation_id)

    assert isinstance(refused, Refused)
    assert refused.code == "confirmation.changed"
    assert await bench.changes(talk, change) == before
