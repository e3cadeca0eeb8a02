"""What an advisor accepts is done by its tool, under their name, exactly once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crm.actor import SERVICE_ACTOR
from crm.ids import new_id
from crm.people.models import CreatePerson
from crm.pipeline.actions.models import ActionKind, NextAction, ProposeAction, is_held_out
from crm.pipeline.models import CreateLead

if TYPE_CHECKING:
    from tests.integration.api.target import Target

DAY = timedelta(days=1)


async def _action(target: Target, kind: ActionKind = "call", *, consent: bool = True) -> NextAction:
    services, now = target.services, target.services.clock.now()
    while True:
        person = await services.people.create_person(
            CreatePerson(full_name="Ana Quispe", email=f"{new_id()}@correo.example"),
            actor=SERVICE_ACTOR,
        )
        if not is_held_out(person.id):
            break
    if consent:
        await target.execute(
            "INSERT INTO consents (id, person_id, channel, purpose, granted, source, "
            "text_version, recorded_at) VALUES (%s, %s, 'email', 'service', true, 'form', '1', %s)",
            *(new_id(), person.id, now),
        )
    lead = await services.pipeline.open_lead(
        CreateLead(person_id=person.id, source="web_form"), actor=SERVICE_ACTOR
    )
    command = ProposeAction(
        kind=kind,
        lead_id=lead.id,
        why="score_rose",
        draft="" if kind == "call" else "Hola {name}, nos falta un documento.",
        due_at=now + DAY,
        expires_at=now + 3 * DAY,
        effect_key=f"test:{new_id()}",
    )
    async with services.database.transaction() as uow:
        return await services.actions.propose(uow, command, actor=SERVICE_ACTOR)


async def _post(target: Target, action: NextAction, verb: str, body: Any) -> Any:
    address = f"/v1/advisor/actions/{action.id}/{verb}"
    return await target.client.post(address, json=body, headers=target.staff)


async def test_accepting_makes_one_task_however_often(target: Target) -> None:
    action = await _action(target)

    answers = await asyncio.gather(*(_post(target, action, "accept", {}) for _ in range(5)))

    assert {answer.status_code for answer in answers} == {200}, [a.text for a in answers]
    assert {answer.json()["status"] for answer in answers} == {"accepted"}
    tasks = "SELECT count(*) FROM tasks WHERE lead_id = %s"
    assert await target.count(tasks, action.lead_id) == 1
    records = (
        "SELECT count(*) FROM audit_events WHERE action = 'plan_task' AND effect = 'WRITE' "
        "AND approval_id = %s AND staff_id IS NOT NULL"
    )
    assert await target.count(records, action.id) == 1


async def test_edited_message_leaves_with_its_new_words(target: Target) -> None:
    action = await _action(target, "chase_document")
    edited = await target.client.patch(
        f"/v1/advisor/actions/{action.id}",
        json={"draft": "Hola {name}, te falta el título.", "expected_version": 1},
        headers=target.staff,
    )
    assert edited.status_code == 200, edited.text

    stale = await _post(target, action, "accept", {"expected_version": 1})
    accepted = await _post(target, action, "accept", {"expected_version": 2})

    assert (stale.status_code, stale.json()["code"]) == (409, "action.stale")
    if accepted.status_code == 422:  # at night nobody is written to; the suggestion stays
        assert accepted.json()["code"] == "contact.quiet_hours"
        return
    assert accepted.status_code == 200, accepted.text
    sent = "SELECT count(*) FROM outbound_messages WHERE person_id = %s AND template = %s"
    assert await target.count(sent, action.person_id, "advisor_note") == 1


async def test_what_must_not_be_done_leaves_the_suggestion_open(target: Target) -> None:
    action = await _action(target, "chase_document", consent=False)

    refused = await _post(target, action, "accept", {})

    assert (refused.status_code, refused.json()["code"]) == (422, "contact.consent")
    status = "SELECT count(*) FROM next_actions WHERE id = %s AND status = 'open'"
    assert await target.count(status, action.id) == 1


async def test_dismissed_suggestion_is_over(target: Target) -> None:
    action = await _action(target)
    dismissed = await _post(target, action, "dismiss", {"reason": "wrong_moment"})
    assert dismissed.status_code == 200
    assert dismissed.json()["dismiss_reason"] == "wrong_moment"

    late = await _post(target, action, "accept", {})

    assert (late.status_code, late.json()["code"]) == (409, "action.decided")
    listed = await target.client.get("/v1/advisor/actions?limit=200", headers=target.staff)
    assert str(action.id) not in [item["id"] for item in listed.json()["items"]]


async def test_student_sees_no_queue(target: Target) -> None:
    answer = await target.client.get("/v1/advisor/actions", headers=target.student)

    assert answer.status_code in (401, 403)
