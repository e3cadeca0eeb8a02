"""What needs consent: nothing happens before it, exactly what was shown happens after it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crm.actor import IdentityLevel
from crm.errors import Conflict
from crm.ids import new_id
from tools.catalogue.tickets import OPEN_TICKET
from tools.context import ToolRequest
from tools.registry import Registry
from tools.results import NeedsConfirmation, Ok, Refused
from tools.runner import ToolRunner

if TYPE_CHECKING:
    from uuid import UUID

    from crm.db import UnitOfWork
    from tests.integration.tools.conftest import Office, Talk

ARGUMENTS: dict[str, object] = {
    "category": "technical",
    "title": "No puedo entrar al campus",
    "description": "La contraseña no funciona desde ayer.",
}


def asked(arguments: object = None, *, step: int = 0) -> ToolRequest:
    return ToolRequest(
        tool="open_ticket", arguments=arguments or ARGUMENTS, step=step, index=0, tool_call_id="c1"
    )


async def frozen(office: Office, talk: Talk) -> UUID:
    result = await office.runner.call(talk.context, asked())
    assert isinstance(result, NeedsConfirmation)
    return result.confirmation_id


async def tickets_of(office: Office, talk: Talk) -> int:
    return await office.count(
        "SELECT count(*) FROM tickets WHERE conversation_id = %s", talk.context.conversation_id
    )


async def status_of(office: Office, confirmation_id: UUID) -> str:
    return (await office.services.confirmations.get(confirmation_id)).status


async def test_call_waits_for_consent_and_changes_nothing(office: Office) -> None:
    talk = await office.visitor()
    result = await office.runner.call(talk.context, asked())
    assert isinstance(result, NeedsConfirmation)
    assert result.summary == (
        "Abrir un ticket de soporte (Soporte técnico): «No puedo entrar al campus». "
        "La contraseña no funciona desde ayer."
    )
    assert await tickets_of(office, talk) == 0
    assert await office.outcomes(talk) == [("WRITE", "needs_confirmation", "approval.student")]


async def test_summary_is_in_the_conversations_language(office: Office) -> None:
    talk = await office.visitor(locale="en")
    result = await office.runner.call(talk.context, asked())
    assert isinstance(result, NeedsConfirmation)
    assert result.summary.startswith("Open a support ticket (Technical support): “")


async def test_repeated_call_waits_for_the_same_decision(office: Office) -> None:
    talk = await office.visitor()
    assert await frozen(office, talk) == await frozen(office, talk)


async def test_call_worded_anew_after_a_crash_shows_what_is_frozen(office: Office) -> None:
    talk = await office.visitor()
    confirmation_id = await frozen(office, talk)
    again = await office.runner.call(
        talk.context, asked(ARGUMENTS | {"title": "Quiero otra cosa muy distinta"})
    )
    assert isinstance(again, NeedsConfirmation)
    assert again.confirmation_id == confirmation_id
    assert "No puedo entrar al campus" in again.summary


async def test_accepted_call_is_executed_as_it_was_shown(office: Office) -> None:
    talk = await office.visitor()
    confirmation_id = await frozen(office, talk)
    await office.accept(talk, confirmation_id)
    result = await office.runner.execute_confirmed(talk.context, confirmation_id)
    assert isinstance(result, Ok)
    assert result.data["status"] == "open"
    number = await office.count(
        "SELECT number AS count FROM tickets WHERE conversation_id = %s AND subject_id = %s "
        "AND title = %s AND description = %s AND category = 'technical'",
        talk.context.conversation_id,
        talk.actor.subject_id,
        ARGUMENTS["title"],
        ARGUMENTS["description"],
    )
    assert result.data["number"] == number
    assert await status_of(office, confirmation_id) == "executed"
    record = (await office.records(talk, action="open_ticket"))[-1]
    assert record.header["approval_id"] == confirmation_id
    assert (record.header["outcome"], record.header["decision"]) == ("ok", "approval.student")
    assert record.payload["arguments"] == ARGUMENTS


async def test_ticket_of_a_verified_student_is_theirs(office: Office) -> None:
    talk = await office.student()
    confirmation_id = await frozen(office, talk)
    await office.accept(talk, confirmation_id)
    await office.runner.execute_confirmed(talk.context, confirmation_id)
    assert talk.person is not None
    assert (
        await office.count("SELECT count(*) FROM tickets WHERE person_id = %s", talk.person.id) == 1
    )


async def test_ten_executions_at_once_open_one_ticket(office: Office) -> None:
    talk = await office.visitor()
    confirmation_id = await frozen(office, talk)
    await office.accept(talk, confirmation_id)
    results = await asyncio.gather(
        *(office.runner.execute_confirmed(talk.context, confirmation_id) for _ in range(10))
    )
    assert len({str(r.data) for r in results if isinstance(r, Ok)}) == 1
    assert sorted(r.replayed for r in results if isinstance(r, Ok)) == [False] + [True] * 9
    assert await tickets_of(office, talk) == 1
    done = [o for o in await office.outcomes(talk) if o[:2] == ("WRITE", "ok")]
    assert done.count(("WRITE", "ok", "approval.student")) == 1


@pytest.mark.parametrize("decision", [None, "reject"])
async def test_call_without_consent_is_not_executed(office: Office, decision: str | None) -> None:
    talk = await office.visitor()
    confirmation_id = await frozen(office, talk)
    if decision:
        await office.decide(talk, confirmation_id, decision)
    result = await office.runner.execute_confirmed(talk.context, confirmation_id)
    assert isinstance(result, Refused)
    assert result.code == f"confirmation.{'rejected' if decision else 'pending'}"
    assert await tickets_of(office, talk) == 0


@pytest.mark.parametrize("decision", ["accept", "reject"])
async def test_resumed_turn_finds_the_decision_on_its_call(office: Office, decision: str) -> None:
    talk = await office.visitor()
    confirmation_id = await frozen(office, talk)
    await office.decide(talk, confirmation_id, decision)
    assert await frozen(office, talk) == confirmation_id
    result = await office.runner.execute_confirmed(talk.context, confirmation_id)
    assert isinstance(result, Ok) is (decision == "accept")
    waiting = [o for o in await office.outcomes(talk) if o[1] == "needs_confirmation"]
    assert len(waiting) == 1


async def test_turn_that_crashed_after_executing_finds_the_result(office: Office) -> None:
    talk = await office.visitor()
    confirmation_id = await frozen(office, talk)
    await office.accept(talk, confirmation_id)
    first = await office.runner.execute_confirmed(talk.context, confirmation_id)
    assert await frozen(office, talk) == confirmation_id
    again = await office.runner.execute_confirmed(talk.context, confirmation_id)
    assert isinstance(first, Ok)
    assert again == replace(first, replayed=True)
    assert await tickets_of(office, talk) == 1


async def test_expired_call_is_not_executed(office: Office) -> None:
    talk = await office.visitor()
    confirmation_id = await frozen(office, talk)
    office.clock.advance(timedelta(minutes=16))
    await office.services.confirmations.expire_due()
    result = await office.runner.execute_confirmed(talk.context, confirmation_id)
    assert isinstance(result, Refused)
    assert result.code == "confirmation.expired"
    again = await office.runner.call(talk.context, asked())
    assert isinstance(again, Refused)
    assert again.code == "confirmation.expired"
    assert await tickets_of(office, talk) == 0


@pytest.mark.parametrize(
    "change",
    [
        "arguments = jsonb_set(arguments, '{title}', '\"Otra cosa\"')",
        "tool_version = 2",
        "price_minor = 1",
        "quote_id = 'q2'",
        "hold_id = 'h2'",
        "tool = 'hand_off'",
    ],
)
async def test_call_that_was_changed_after_consent_is_refused(office: Office, change: str) -> None:
    talk = await office.visitor()
    confirmation_id = await frozen(office, talk)
    await office.accept(talk, confirmation_id)
    await office.execute(f"UPDATE confirmations SET {change} WHERE id = %s", confirmation_id)
    result = await office.runner.execute_confirmed(talk.context, confirmation_id)
    assert isinstance(result, Refused)
    assert result.code == "confirmation.changed"
    assert await tickets_of(office, talk) == 0
    assert await status_of(office, confirmation_id) == "failed"
    record = (await office.records(talk))[-1]
    assert (record.header["outcome"], record.header["error_code"]) == (
        "refused",
        "confirmation.changed",
    )


async def test_call_of_an_older_version_of_the_tool_is_refused(office: Office) -> None:
    talk = await office.visitor()
    confirmation_id = await frozen(office, talk)
    await office.accept(talk, confirmation_id)
    newer = ToolRunner(
        office.database, Registry([replace(OPEN_TICKET, version=2)]), office.services
    )
    result = await newer.execute_confirmed(talk.context, confirmation_id)
    assert isinstance(result, Refused)
    assert result.code == "confirmation.changed"


async def test_another_conversations_confirmation_does_not_exist(office: Office) -> None:
    owner, stranger = await office.visitor(), await office.visitor()
    confirmation_id = await frozen(office, owner)
    await office.accept(owner, confirmation_id)
    result = await office.runner.execute_confirmed(stranger.context, confirmation_id)
    assert isinstance(result, Refused)
    assert result.code == "confirmation.unknown"
    assert await status_of(office, confirmation_id) == "accepted"
    assert await tickets_of(office, owner) == 0
    assert len(await office.records(stranger)) == 1


async def test_unknown_confirmation_is_refused_and_recorded(office: Office) -> None:
    talk = await office.visitor()
    result = await office.runner.execute_confirmed(talk.context, new_id())
    assert isinstance(result, Refused)
    assert result.code == "confirmation.unknown"
    (record,) = await office.records(talk)
    assert record.header["action"] == "confirmation.execute"


async def test_consent_does_not_outlive_the_right_to_act(office: Office) -> None:
    talk = await office.student()
    confirmation_id = await frozen(office, talk)
    await office.accept(talk, confirmation_id)
    stricter = ToolRunner(
        office.database,
        Registry([replace(OPEN_TICKET, min_level=IdentityLevel.VERIFIED)]),
        office.services,
    )
    fallen = replace(talk.context, actor=replace(talk.actor, level=IdentityLevel.VISITOR))
    result = await stricter.execute_confirmed(fallen, confirmation_id)
    assert isinstance(result, Refused)
    assert result.code == "identity.level"
    assert await tickets_of(office, talk) == 0


async def test_holder_without_its_lease_neither_executes_nor_closes(office: Office) -> None:
    async def lost(uow: UnitOfWork) -> None:
        raise Conflict("lease.lost", "Another process took this conversation over.")

    talk = await office.visitor()
    confirmation_id = await frozen(office, talk)
    await office.accept(talk, confirmation_id)
    late = replace(talk.context, fence=lost)
    result = await office.runner.execute_confirmed(late, confirmation_id)
    assert isinstance(result, Refused)
    assert result.code == "lease.lost"
    assert await status_of(office, confirmation_id) == "accepted"
    assert isinstance(await office.runner.execute_confirmed(talk.context, confirmation_id), Ok)
    assert await tickets_of(office, talk) == 1


async def test_lease_lost_before_freezing_leaves_nothing_to_decide(office: Office) -> None:
    async def lost(uow: UnitOfWork) -> None:
        raise Conflict("lease.lost", "Another process took this conversation over.")

    talk = await office.visitor(fence=lost)
    result = await office.runner.call(talk.context, asked())
    assert isinstance(result, Refused)
    assert talk.context.conversation_id is not None
    assert await office.services.confirmations.list_open(talk.context.conversation_id) == []


async def test_ticket_for_somebody_else_is_refused(office: Office) -> None:
    talk, other = await office.student(), await office.student("Luis Rojas")
    assert other.person is not None
    for name in ("person_id", "subject_id", "student_id", "conversation_id"):
        result = await office.runner.call(
            talk.context, asked({**ARGUMENTS, name: str(other.person.id)})
        )
        assert isinstance(result, Refused)
        assert result.code == "arguments.invalid"
        assert str(other.person.id) not in result.message


async def test_staff_do_not_open_tickets_as_students(office: Office) -> None:
    talk = await office.staff()
    result = await office.runner.call(talk.context, asked())
    assert isinstance(result, Refused)
    assert result.code == "tool.role"


async def test_approval_outside_of_a_conversation_is_refused(office: Office) -> None:
    talk = await office.visitor()
    nowhere = replace(talk.context, conversation_id=None, run_id=None)
    result = await office.runner.call(nowhere, asked())
    assert isinstance(result, Refused)
    assert result.code == "approval.unavailable"


async def test_what_an_advisor_must_approve_is_not_put_to_the_student(office: Office) -> None:
    talk = await office.visitor()
    runner = office.runner_of(replace(OPEN_TICKET, approval="advisor"))
    result = await runner.call(talk.context, asked())
    assert isinstance(result, Refused)
    assert result.code == "approval.unavailable"
    assert talk.context.conversation_id is not None
    assert await office.services.confirmations.list_open(talk.context.conversation_id) == []
