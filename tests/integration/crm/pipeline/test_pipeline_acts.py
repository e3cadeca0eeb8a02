"""What other contexts tell the pipeline is told once, and every step is recorded."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from crm.actor import SERVICE_ACTOR
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import PersonId, new_id
from crm.pipeline import acts, store
from crm.pipeline.service import PipelineService
from tests.integration.crm.conftest import NOW

if TYPE_CHECKING:
    from crm.clock import FixedClock
    from crm.pipeline.models import Lead

Office = Any
COURSE, PROGRAMME = "DAT-101", "DIP-DAT"


async def _enrol(office: Office, person_id: PersonId, enrolment_id: UUID) -> None:
    async with office.database.transaction() as uow:
        await acts.record_enrolment(
            uow,
            person_id=person_id,
            course_code=COURSE,
            enrolment_id=enrolment_id,
            actor=SERVICE_ACTOR,
        )


async def _withdraw(office: Office, person_id: PersonId, enrolment_id: UUID) -> None:
    async with office.database.transaction() as uow:
        await acts.record_withdrawal(
            uow,
            person_id=person_id,
            course_code=COURSE,
            enrolment_id=enrolment_id,
            reason="Mudanza",
            actor=SERVICE_ACTOR,
        )


async def _history(office: Office, lead: Lead) -> list[str]:
    async with office.database.read() as conn:
        return [change.to_stage for change in await store.select_stages(conn, lead.id)]


@pytest.mark.parametrize("interest", [{"course_code": COURSE}, {"programme_code": PROGRAMME}])
async def test_enrolment_moves_the_open_lead_step_by_step(
    office: Office, interest: dict[str, str]
) -> None:
    lead = await office.open_lead(**interest)

    await _enrol(office, lead.person_id, new_id())

    assert (await office.lead(lead.id)).stage == "enrolled"
    steps = ["inquiry", "lead", "applicant", "admitted", "enrolled"]
    assert await _history(office, lead) == steps
    assert await office.events("LeadStageChanged", lead_id=lead.id) == 4
    assert {c.state for c in (await office.clocks(lead.id)).values()} == {"stopped"}


async def test_enrolment_told_again_changes_nothing(office: Office) -> None:
    person_id, enrolment_id = await office.new_person(), new_id()

    await asyncio.gather(*(_enrol(office, person_id, enrolment_id) for _ in range(5)))

    counted = "SELECT count(*) FROM leads WHERE person_id = %s AND stage = 'enrolled'"
    assert await office.count(counted, person_id) == 1
    assert await office.activities(person_id) == ["enrolment", "stage", "stage", "stage"]


async def test_lead_for_something_else_stays_where_it_is(office: Office) -> None:
    lead = await office.open_lead(course_code="DAT-999")

    await _enrol(office, lead.person_id, new_id())

    assert (await office.lead(lead.id)).stage == "inquiry"
    other = "SELECT count(*) FROM leads WHERE person_id = %s AND source = 'enrolment'"
    assert await office.count(other, lead.person_id) == 1


async def test_enrolment_of_somebody_merged_is_the_other_ones(office: Office) -> None:
    gone, stays = await office.new_person(), await office.new_person()
    await office.execute(
        "UPDATE people SET status = 'merged', merged_into = %s WHERE id = %s", stays, gone
    )

    await _enrol(office, gone, new_id())

    assert await office.count("SELECT count(*) FROM leads WHERE person_id = %s", stays) == 1


async def test_withdrawal_is_noted_once_on_the_lead(office: Office) -> None:
    lead, enrolment_id = await office.open_lead(course_code=COURSE), new_id()
    await _enrol(office, lead.person_id, enrolment_id)

    await _withdraw(office, lead.person_id, enrolment_id)
    await _withdraw(office, lead.person_id, enrolment_id)

    noted = "SELECT count(*) FROM activities WHERE kind = 'withdrawal' AND lead_id = %s"
    assert await office.count(noted, lead.id) == 1
    assert (await office.lead(lead.id)).stage == "enrolled"


async def test_one_active_application_whatever_many_writers_do(office: Office) -> None:
    person_id = await office.new_person()
    facts = {"programme_code": PROGRAMME, "term": "2027-1"}

    results = await asyncio.gather(
        *(office.open_lead(person_id, **facts) for _ in range(8)), return_exceptions=True
    )

    refused = [r for r in results if isinstance(r, Conflict)]
    assert {r.code for r in refused} == {"lead.exists"}
    assert len(refused) == 7
    await office.open_lead(person_id, programme_code=PROGRAMME, term="2027-2")


async def test_lost_lead_does_not_come_back_beside_another(office: Office) -> None:
    first = await office.open_lead(course_code=COURSE)
    await office.move(first.id, "lost", reason="price")
    second = await office.open_lead(first.person_id, course_code=COURSE)

    with pytest.raises(Conflict, match=r"lead\.exists"):
        await office.move(first.id, "lead")

    await office.move(second.id, "lost", reason="other")
    back = await office.move(first.id, "lead")
    assert (back.stage, back.lost_reason) == ("lead", None)


async def test_leap_and_stale_move_are_refused(office: Office) -> None:
    lead = await office.open_lead()

    with pytest.raises(RuleBroken, match=r"lead\.transition"):
        await office.move(lead.id, "admitted")
    with pytest.raises(RuleBroken, match=r"lead\.reason"):
        await office.move(lead.id, "lost")
    await office.move(lead.id, "lead", expected_version=lead.version)
    with pytest.raises(Conflict, match=r"lead\.stale"):
        await office.move(lead.id, "applicant", expected_version=lead.version)


async def test_lead_about_nothing_known_is_refused(office: Office) -> None:
    with pytest.raises(NotFound, match=r"lead\.interest_unknown"):
        await office.open_lead(course_code="NO-1")
    with pytest.raises(NotFound, match=r"person\.unknown"):
        await office.open_lead(PersonId(new_id()))


async def _note(office: Office, person_id: PersonId, **facts: Any) -> bool:
    said = {"kind": "message", "about": {}, "occurred_at": office.database.clock.now(), **facts}
    async with office.database.transaction() as uow:
        noted = await acts.note_activity(uow, person_id=person_id, actor=SERVICE_ACTOR, **said)
    return noted is not None


async def test_happening_is_noted_once(office: Office) -> None:
    lead, key = await office.open_lead(), f"message:{new_id()}"

    told = [await _note(office, lead.person_id, source_key=key) for _ in range(3)]

    assert told == [True, False, False]
    assert await office.events("ActivityNoted", lead_id=lead.id) == 1


async def test_first_contact_stops_the_clock_and_nothing_else_does(
    office: Office, clock: FixedClock
) -> None:
    lead = await office.open_lead()
    clock.advance(timedelta(hours=1))

    await _note(office, lead.person_id, direction="in")
    assert (await office.clocks(lead.id))["first_response"].state == "running"
    await _note(office, lead.person_id, direction="out")

    answered = (await office.clocks(lead.id))["first_response"]
    assert (answered.state, answered.spent, answered.breached_at) == (
        "stopped",
        timedelta(hours=1),
        None,
    )
    assert (await office.lead(lead.id)).last_activity_at == NOW + timedelta(hours=1)


async def test_activity_on_another_persons_lead_is_refused(office: Office) -> None:
    lead = await office.open_lead()

    with pytest.raises(NotFound, match=r"lead\.unknown"):
        await _note(office, await office.new_person(), lead_id=lead.id)


@pytest.mark.parametrize(("role", "state"), [("student", "running"), ("advisor", "stopped")])
async def test_message_is_on_the_timeline_once_and_without_its_text(
    office: Office, role: str, state: str
) -> None:
    lead, message_id = await office.open_lead(), new_id()
    conversation_id = await office.new_conversation()
    message = (
        "INSERT INTO messages (id, conversation_id, role, source, external_id, body, created_at) "
        "VALUES (%s, %s, %s, 'test', %s, 'Hola', %s)"
    )
    await office.execute(message, message_id, conversation_id, role, str(message_id), NOW)
    service = PipelineService(office.database)

    await service.note_message(message_id)
    assert await office.activities(lead.person_id) == [], "nobody knows yet whose it is"
    await office.execute(
        "UPDATE conversations SET person_id = %s WHERE id = %s", lead.person_id, conversation_id
    )
    await service.note_message(message_id)
    await service.note_message(message_id)

    (noted,) = (await service.lead_timeline(lead.id, actor=SERVICE_ACTOR)).items
    assert noted.about == {
        "message_id": str(message_id),
        "conversation_id": str(conversation_id),
        "channel": "widget",
    }
    assert (await office.clocks(lead.id))["first_response"].state == state
