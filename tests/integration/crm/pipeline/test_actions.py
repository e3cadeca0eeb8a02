"""The advisors' queue: ranked, bounded, withheld from a tenth, and read by an index."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from crm.actor import SERVICE_ACTOR
from crm.errors import Conflict, Denied, RuleBroken
from crm.ids import PersonId, new_id
from crm.pipeline.actions.models import (
    CAPACITY,
    REST,
    ActionKind,
    NextAction,
    ProposeAction,
    is_held_out,
)
from crm.pipeline.actions.service import ActionService
from crm.pipeline.scoring.service import ScoringService

if TYPE_CHECKING:
    from crm.clock import FixedClock
    from crm.db import Database
    from crm.pipeline.models import Lead

Office = Any
DAY = timedelta(days=1)


@pytest.fixture
async def actions(database: Database) -> ActionService:
    async with database.transaction() as uow:
        await uow.conn.execute("TRUNCATE next_actions, lead_scores, lead_scores_due, scorings")
    return ActionService(database, ScoringService(database))


async def _person(office: Office, *, held_out: bool = False) -> PersonId:
    while True:
        person_id: PersonId = await office.new_person()
        if is_held_out(person_id) is held_out:
            return person_id


async def _lead(office: Office, *, held_out: bool = False, **facts: Any) -> Lead:
    lead: Lead = await office.open_lead(await _person(office, held_out=held_out), **facts)
    return lead


async def _propose(
    actions: ActionService, office: Office, lead: Lead, kind: ActionKind = "call", **facts: Any
) -> NextAction:
    now = office.database.clock.now()
    command = ProposeAction(
        **{
            "kind": kind,
            "lead_id": lead.id,
            "why": "score_rose",
            "draft": "" if kind == "call" else "Hola {name}",
            "due_at": now + DAY,
            "expires_at": now + 5 * DAY,
            "effect_key": f"test:{new_id()}",
        }
        | facts
    )
    async with office.database.transaction() as uow:
        return await actions.propose(uow, command, actor=SERVICE_ACTOR)


async def test_queue_is_ranked_by_value_and_urgency(actions: ActionService, office: Office) -> None:
    advisor = await office.new_advisor()
    for _ in range(3):
        lead = await _lead(office, staff_id=advisor.staff_id)
        await _propose(actions, office, lead)
    waiting = await _propose(
        actions, office, await _lead(office, staff_id=advisor.staff_id), "reply"
    )

    page = await actions.list_actions(limit=2, actor=advisor)
    rest = await actions.list_actions(limit=2, cursor=page.next_cursor, actor=advisor)

    found = [*page.items, *rest.items]
    assert found[0].id == waiting.id
    assert [a.priority for a in found] == sorted((a.priority for a in found), reverse=True)
    assert len({a.id for a in found}) == 4


async def test_reasons_are_the_strongest_of_the_score(
    actions: ActionService, office: Office
) -> None:
    lead = await _lead(office, source="referral")
    async with office.database.transaction() as uow:
        await ScoringService(office.database).score(uow, whole=True, actor=SERVICE_ACTOR)

    made = await _propose(actions, office, lead)

    assert [(reason.feature, reason.points) for reason in made.reasons][:2] == [
        ("silent_days", 14),
        ("source", 8),
    ]


async def test_held_out_people_are_not_nudged_but_answered(
    actions: ActionService, office: Office
) -> None:
    lead = await _lead(office, held_out=True)

    nudge = await _propose(actions, office, lead)
    answer = await _propose(actions, office, lead, "reply")

    assert (nudge.status, answer.status) == ("withheld", "open")
    shown = await actions.list_actions(actor=await office.new_advisor())
    assert [action.id for action in shown.items] == [answer.id]


async def test_nobody_is_reached_out_to_twice_a_week(
    actions: ActionService, office: Office, clock: FixedClock
) -> None:
    lead = await _lead(office)
    await _propose(actions, office, lead)
    with pytest.raises(RuleBroken, match=r"action\.frequency"):
        await _propose(actions, office, lead)

    clock.advance(REST + timedelta(seconds=1))

    assert (await _propose(actions, office, lead)).status == "open"


async def test_advisor_is_not_buried(actions: ActionService, office: Office) -> None:
    advisor = await office.new_advisor()
    for _ in range(CAPACITY):
        await _propose(actions, office, await _lead(office, staff_id=advisor.staff_id))

    with pytest.raises(RuleBroken, match=r"action\.capacity"):
        await _propose(actions, office, await _lead(office, staff_id=advisor.staff_id))


async def test_nobody_is_written_to_unasked_without_consent(
    actions: ActionService, office: Office
) -> None:
    lead = await _lead(office)
    with pytest.raises(RuleBroken, match=r"action\.consent"):
        await _propose(actions, office, lead, "send_template")
    await office.execute(
        "INSERT INTO consents (id, person_id, channel, purpose, granted, source, text_version, "
        "recorded_at) VALUES (%s, %s, 'email', 'marketing', true, 'form', '1', %s)",
        *(new_id(), lead.person_id, office.database.clock.now()),
    )

    assert (await _propose(actions, office, lead, "send_template")).status == "open"


async def test_same_key_suggests_once(actions: ActionService, office: Office) -> None:
    lead = await _lead(office)

    first = await _propose(actions, office, lead, effect_key="one")
    again = await _propose(actions, office, lead, effect_key="one")

    assert first.id == again.id


async def test_closed_lead_gets_no_suggestion(actions: ActionService, office: Office) -> None:
    lead = await _lead(office)
    await office.move(lead.id, "lost", reason="price")

    with pytest.raises(RuleBroken, match=r"action\.closed"):
        await _propose(actions, office, lead)


async def test_snoozed_suggestion_comes_back(
    actions: ActionService, office: Office, clock: FixedClock
) -> None:
    advisor = await office.new_advisor()
    made = await _propose(actions, office, await _lead(office))
    await actions.snooze(made.id, clock.now() + DAY, actor=advisor)
    assert not (await actions.list_actions(actor=advisor)).items

    clock.advance(DAY)

    assert [a.id for a in (await actions.list_actions(actor=advisor)).items] == [made.id]


async def test_suggestion_whose_time_is_over_is_gone(
    actions: ActionService, office: Office, clock: FixedClock
) -> None:
    advisor = await office.new_advisor()
    made = await _propose(actions, office, await _lead(office))

    clock.advance(6 * DAY)

    assert not (await actions.list_actions(actor=advisor)).items
    with pytest.raises(Conflict, match=r"action\.expired"):
        await actions.dismiss(made.id, "other", actor=advisor)
    assert await actions.expire_due() == 1


async def test_others_suggestions_are_not_decided_on(
    actions: ActionService, office: Office
) -> None:
    advisor, other = await office.new_advisor(), await office.new_advisor()
    made = await _propose(actions, office, await _lead(office, staff_id=advisor.staff_id))

    assert not (await actions.list_actions(actor=other)).items
    with pytest.raises(Denied, match=r"action\.anothers"):
        await actions.dismiss(made.id, "other", actor=other)
    dismissed = await actions.dismiss(made.id, "not_useful", actor=advisor)
    again = await actions.dismiss(made.id, "not_useful", actor=advisor)
    assert dismissed == again
    assert dismissed.dismiss_reason == "not_useful"
    assert await office.events("ActionDecided", action_id=made.id) == 1


async def test_what_was_changed_behind_the_back_is_not_decided_on(
    actions: ActionService, office: Office
) -> None:
    made = await _propose(actions, office, await _lead(office))
    await office.execute(
        'UPDATE next_actions SET arguments = arguments || \'{"lead_id": "x"}\' WHERE id = %s',
        made.id,
    )

    with pytest.raises(Conflict, match=r"action\.changed"):
        await actions.dismiss(made.id, "other", actor=await office.new_advisor())


async def test_edit_binds_the_call_to_the_new_words(actions: ActionService, office: Office) -> None:
    advisor = await office.new_advisor()
    made = await _propose(actions, office, await _lead(office), "reply")

    edited = await actions.edit(made.id, " Otra cosa ", expected_version=1, actor=advisor)

    assert (edited.draft, edited.arguments["text"]) == ("Otra cosa", "Otra cosa")
    assert edited.frozen_hash != made.frozen_hash
    with pytest.raises(Conflict, match=r"action\.stale"):
        await actions.edit(made.id, "Más", expected_version=1, actor=advisor)


async def test_queue_is_read_by_its_index(actions: ActionService, office: Office) -> None:
    lead, advisor = await _lead(office), await office.new_advisor()
    await office.execute(
        """
        INSERT INTO next_actions (id, effect_key, kind, person_id, lead_id, staff_id, why, reasons,
            language, draft, tool, arguments, frozen_hash, priority, status, due_at, expires_at,
            created_at)
        SELECT gen_random_uuid(), 'plan:' || n, 'call', %s, %s,
            CASE WHEN n %% 10 = 0 THEN %s::uuid END, 'x', '[]', 'es', '', 'plan_task', '{}', '',
            n, CASE WHEN n %% 5 = 0 THEN 'open' ELSE 'expired' END, now(), now() + interval '9 y',
            now()
        FROM generate_series(1, 50000) n
        """,
        *(lead.person_id, lead.id, advisor.staff_id),
    )
    await office.execute("ANALYZE next_actions")
    async with office.database.read() as conn:
        rows = await conn.execute(
            "EXPLAIN SELECT id FROM next_actions WHERE status = 'open' AND expires_at > now() "
            "AND (snoozed_until IS NULL OR snoozed_until <= now()) "
            "AND (staff_id = %s OR staff_id IS NULL) ORDER BY priority DESC, id DESC LIMIT 51",
            [advisor.staff_id],
        )
        plan = " ".join(row["QUERY PLAN"] for row in await rows.fetchall())
    assert "next_actions_queue" in plan
    assert "Seq Scan" not in plan
    page = await actions.list_actions(actor=advisor)
    assert len(page.items) == 50
