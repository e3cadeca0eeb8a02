"""A student allows messages after reading what that means, and stops them with a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.context import ToolRequest
from tools.results import NeedsConfirmation, Ok, Refused

if TYPE_CHECKING:
    from tests.integration.tools.conftest import Office, Talk


async def granted(office: Office, talk: Talk) -> int:
    assert talk.person is not None
    found = await office.services.people.current_consents(talk.person.id, actor=talk.actor)
    return sum(c.granted for c in found)


def asked(tool: str, *, step: int = 0, **arguments: object) -> ToolRequest:
    return ToolRequest(tool=tool, arguments=arguments, step=step, index=0)


async def test_permission_is_given_once_agreed_and_stopped_at_once(office: Office) -> None:
    talk = await office.student()
    shown = await office.runner.call(talk.context, asked("allow_contact", channel="whatsapp"))
    assert isinstance(shown, NeedsConfirmation)
    assert shown.summary == "Permitir que te escribamos por WhatsApp sobre cursos y promociones."
    assert await granted(office, talk) == 0
    await office.accept(talk, shown.confirmation_id)
    await office.runner.execute_confirmed(talk.context, shown.confirmation_id)
    assert await granted(office, talk) == 1
    stopped = await office.runner.call(talk.context, asked("stop_contact", step=1))
    assert isinstance(stopped, Ok)
    assert len(list(stopped.data["channels"])) == 5  # type: ignore[call-overload]
    assert await granted(office, talk) == 0


async def test_repeated_stop_is_recorded_once(office: Office) -> None:
    talk = await office.student()
    request = asked("stop_contact", channel="email")
    first = await office.runner.call(talk.context, request)
    again = await office.runner.call(talk.context, request)
    assert isinstance(first, Ok)
    assert isinstance(again, Ok)
    assert again.replayed
    assert talk.person is not None
    rows = "SELECT count(*) FROM consents WHERE person_id = %s"
    assert await office.count(rows, talk.person.id) == 1


async def test_unproven_visitor_changes_nobodys_permissions(office: Office) -> None:
    talk = await office.visitor()
    for tool in ("allow_contact", "stop_contact"):
        refused = await office.runner.call(talk.context, asked(tool, channel="email"))
        assert isinstance(refused, Refused)
        assert refused.code == "identity.level"
