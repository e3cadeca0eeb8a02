"""What an advisor has to agree to waits in their queue, and is done once, as it was asked."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from api.actions import accept_action
from crm.actor import Actor, Role
from crm.errors import Conflict, Denied, RuleBroken
from crm.pipeline.actions.models import ActionId, NextAction
from tests.integration.tools.changing import Bench
from tests.integration.tools.conftest import NOW
from tools.registry import default_registry
from tools.results import Ok

if TYPE_CHECKING:
    from tests.integration.crm.courses.conftest import Catalogue
    from tests.integration.tools.conftest import Office, Talk

SPEC = default_registry().get("ask_refund")
REFUNDS = "SELECT count(*) FROM refunds JOIN payments p ON p.id = payment_id WHERE p.person_id = %s"


@pytest.fixture
def bench(office: Office, catalogue: Catalogue) -> Bench:
    return Bench(office, catalogue)


async def _asked(bench: Bench) -> tuple[Talk, NextAction]:
    """Let a student ask for money back; nothing goes back by that."""
    assert SPEC is not None
    talk = await bench.office.student()
    arguments = {"invoice_id": await bench.invoice(talk), "reason": "Me cobraron de más."}
    waiting = await bench.call(talk, bench.request(SPEC, arguments))
    assert isinstance(waiting, Ok), waiting
    assert waiting.data["status"] == "waiting_for_advisor"
    assert await _refunds(bench, talk) == 0
    page = await bench.office.services.actions.list_actions(
        kind="approve", limit=200, actor=await _staff(bench)
    )
    assert talk.person is not None
    return talk, next(a for a in page.items if a.person_id == talk.person.id)


async def _refunds(bench: Bench, talk: Talk) -> int:
    assert talk.person is not None
    return await bench.office.count(REFUNDS, talk.person.id)


async def _staff(bench: Bench, role: Role = Role.ADVISOR) -> Actor:
    actor = (await bench.office.staff(role)).actor
    await bench.office.execute(
        "INSERT INTO staff (id, email, name, role, password_hash, created_at) "
        "VALUES (%s, %s, 'Eva', %s, 'x', %s)",
        *(actor.staff_id, f"{actor.staff_id}@andino.example", role.value, NOW),
    )
    return actor


async def _accept(bench: Bench, action_id: ActionId, actor: Actor) -> NextAction:
    services: Any = SimpleNamespace(
        actions=bench.office.services.actions, runner=bench.office.runner
    )
    return await accept_action(services, action_id, expected_version=None, actor=actor)


async def test_it_is_done_once_however_often_it_is_agreed_to(bench: Bench) -> None:
    talk, action = await _asked(bench)
    assert "150.00" in action.draft
    advisor = await _staff(bench)

    done = await asyncio.gather(*(_accept(bench, action.id, advisor) for _ in range(4)))

    assert {a.status for a in done} == {"accepted"}
    assert await _refunds(bench, talk) == 1
    page = await bench.office.journal.list_audit_events(
        {"action": "ask_refund"}, cursor=None, limit=20
    )
    mine = [r.header for r in page.items if r.header["approval_id"] == action.id]
    made = [h for h in mine if h["effect"] == "MONEY" and h["outcome"] == "ok"]
    assert [h["decision"] for h in made] == ["approval.advisor"]
    assert made[0]["conversation_id"] == talk.context.conversation_id


async def test_dismissed_is_never_done(bench: Bench) -> None:
    talk, action = await _asked(bench)
    advisor = await _staff(bench)
    await bench.office.services.actions.dismiss(action.id, "other", actor=advisor)

    with pytest.raises(Conflict, match=r"action\.decided"):
        await _accept(bench, action.id, advisor)

    assert await _refunds(bench, talk) == 0


@pytest.mark.parametrize(
    "change",
    [
        'arguments = arguments || \'{"reason": "x"}\'',
        "asked = asked || '{\"price_minor\": 999999}'",
        "tool = 'withdraw'",
    ],
)
async def test_what_was_changed_meanwhile_is_not_done(bench: Bench, change: str) -> None:
    talk, action = await _asked(bench)
    await bench.office.execute(f"UPDATE next_actions SET {change} WHERE id = %s", action.id)

    with pytest.raises((Conflict, RuleBroken)):
        await _accept(bench, action.id, await _staff(bench))

    assert await _refunds(bench, talk) == 0


async def test_who_may_not_agree_does_not(bench: Bench) -> None:
    talk, action = await _asked(bench)

    with pytest.raises((Denied, RuleBroken, Conflict)):
        await _accept(bench, action.id, await _staff(bench, Role.SERVICE))
    with pytest.raises(Denied):
        await _accept(bench, action.id, talk.actor)

    assert await _refunds(bench, talk) == 0


async def test_money_that_went_back_otherwise_is_not_given_twice(bench: Bench) -> None:
    talk, action = await _asked(bench)
    await bench.office.execute(
        "UPDATE payments SET refunded_minor = captured_minor WHERE person_id = %s",
        action.person_id,
    )

    with pytest.raises(RuleBroken, match=r"refund\."):
        await _accept(bench, action.id, await _staff(bench))

    assert await _refunds(bench, talk) == 0


async def test_words_of_a_request_are_not_edited(bench: Bench) -> None:
    _, action = await _asked(bench)

    with pytest.raises(RuleBroken, match=r"action\.approval"):
        await bench.office.services.actions.edit(
            action.id, "Otra cosa", expected_version=1, actor=await _staff(bench)
        )
