"""Scores on a real database: written when they change, told when they move, and fair."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel
from crm.errors import Denied, NotFound
from crm.ids import SubjectId
from crm.pipeline.scoring.scorecard import default_scorecard
from crm.pipeline.scoring.service import ScoringService

if TYPE_CHECKING:
    from crm.clock import FixedClock
    from crm.db import Database
    from crm.pipeline.models import Lead
    from crm.pipeline.scoring.store import Scoring

Office = Any


@pytest.fixture
async def scoring(database: Database) -> ScoringService:
    async with database.transaction() as uow:  # another test's clock was ahead of this one's
        await uow.conn.execute("TRUNCATE lead_scores, lead_scores_due, scorings")
    return ScoringService(database)


async def _score(database: Database, scoring: ScoringService, *, whole: bool) -> Scoring | None:
    async with database.transaction() as uow:
        return await scoring.score(uow, whole=whole, actor=SERVICE_ACTOR)


async def _lines(office: Office, lead: Lead) -> int:
    return int(await office.count("SELECT count(*) FROM lead_scores WHERE lead_id = %s", lead.id))


async def test_score_is_what_its_explanation_sums_to(
    office: Office, scoring: ScoringService
) -> None:
    lead = await office.open_lead(course_code="DAT-101")
    await office.note(lead, "message", "in")
    await _score(office.database, scoring, whole=True)

    reading = await scoring.read_score(lead.id, actor=SERVICE_ACTOR)

    told = reading.explanation
    assert told.base + sum(part.points for part in told.contributions) == told.score
    stored = "SELECT score AS count FROM lead_scores WHERE lead_id = %s"
    assert await office.count(stored, lead.id) == told.score
    assert {p.feature: p.points for p in told.contributions}["messages"] == 4


async def test_only_what_changed_is_written(office: Office, scoring: ScoringService) -> None:
    lead, other = await office.open_lead(), await office.open_lead()
    await _score(office.database, scoring, whole=True)
    await office.note(lead, "message", "in")

    again = await _score(office.database, scoring, whole=True)

    assert again is not None
    assert again.changed == 1
    assert (await _lines(office, lead), await _lines(office, other)) == (2, 1)


async def test_nothing_due_scores_nothing(office: Office, scoring: ScoringService) -> None:
    await _score(office.database, scoring, whole=True)

    assert await _score(office.database, scoring, whole=False) is None
    assert not await scoring.has_due()


async def test_those_something_happened_with_are_scored(
    office: Office, scoring: ScoringService
) -> None:
    lead, other = await office.open_lead(), await office.open_lead()
    await _score(office.database, scoring, whole=True)
    await office.note(lead, "meeting")
    await office.note(other, "meeting")
    await scoring.mark_due(lead_id=lead.id)
    await scoring.mark_due(lead_id=lead.id)

    done = await _score(office.database, scoring, whole=False)

    assert done is not None
    assert (done.leads, done.changed) == (1, 1)
    assert (await _lines(office, lead), await _lines(office, other)) == (2, 1)


async def test_all_leads_of_a_person_become_due(office: Office, scoring: ScoringService) -> None:
    person = await office.new_person()
    await office.open_lead(person)
    await office.open_lead(person, course_code="DAT-101")
    await _score(office.database, scoring, whole=True)
    await scoring.mark_due(person_id=person)

    done = await _score(office.database, scoring, whole=False)

    assert done is not None
    assert done.leads == 2


async def test_closed_lead_keeps_its_last_score(office: Office, scoring: ScoringService) -> None:
    lead = await office.open_lead()
    await _score(office.database, scoring, whole=True)
    await office.move(lead.id, "lost", reason="price")
    await scoring.mark_due(lead_id=lead.id)

    await _score(office.database, scoring, whole=True)

    assert await _lines(office, lead) == 1
    assert (await scoring.read_score(lead.id, actor=SERVICE_ACTOR)).explanation.score


async def test_move_is_told_once(
    office: Office, scoring: ScoringService, clock: FixedClock
) -> None:
    lead = await office.open_lead()
    await _score(office.database, scoring, whole=True)
    for _ in range(4):
        await office.note(lead, "message", "in")
    await office.move(lead.id, "lead")
    await office.move(lead.id, "applicant")

    await _score(office.database, scoring, whole=True)
    await _score(office.database, scoring, whole=True)

    assert await office.events("LeadScored", lead_id=lead.id) == 1
    clock.advance(timedelta(days=40))
    await _score(office.database, scoring, whole=True)
    assert await office.events("LeadScored", lead_id=lead.id) == 2


async def test_denied_facts_change_no_score(office: Office, scoring: ScoringService) -> None:
    """The seventeenth invariant: what a score must not look at does not move it."""
    lead = await office.open_lead()
    await office.note(lead, "form")
    await _score(office.database, scoring, whole=True)
    before = await scoring.read_score(lead.id, actor=SERVICE_ACTOR)
    guardian = await office.new_person("Rosa Quispe")
    await office.execute(
        "UPDATE people SET full_name = 'Otra Persona', birth_date = '2012-02-03', locale = 'en', "
        "time_zone = 'Europe/Madrid', phone = '+34600000001', email = 'x@y.example', "
        "guardian_id = %s WHERE id = %s",
        *(guardian, lead.person_id),
    )
    await office.execute("UPDATE leads SET language = 'en' WHERE id = %s", lead.id)

    again = await _score(office.database, scoring, whole=True)

    assert again is not None
    assert again.changed == 0
    after = await scoring.read_score(lead.id, actor=SERVICE_ACTOR)
    assert after.explanation == before.explanation


async def test_only_staff_read_scores(office: Office, scoring: ScoringService) -> None:
    lead = await office.open_lead()
    with pytest.raises(NotFound, match=r"score\.unknown"):
        await scoring.read_score(lead.id, actor=await office.new_advisor())
    await _score(office.database, scoring, whole=True)
    student = Actor(SubjectId(lead.person_id), IdentityLevel.VERIFIED, lead.person_id)
    with pytest.raises(Denied):
        await scoring.read_score(lead.id, actor=student)
    read = await scoring.read_score(lead.id, actor=await office.new_advisor())
    assert read.model == default_scorecard()
