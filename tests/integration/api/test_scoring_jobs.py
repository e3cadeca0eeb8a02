"""All leads are scored every night, by one call that leaves one record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from api.bootstrap import Services, open_services
from api.scoring import night_before, score_due_leads, score_every_night
from crm.actor import SERVICE_ACTOR
from crm.people.models import CreatePerson
from crm.pipeline.models import CreateLead

if TYPE_CHECKING:
    from api.settings import Settings


@pytest.fixture
async def services(demo_settings: Settings) -> AsyncIterator[Services]:
    async with open_services(demo_settings) as services:
        yield services


async def _count(services: Services, query: str) -> int:
    async with services.database.read() as conn:
        row = await (await conn.execute(query)).fetchone()  # type: ignore[call-overload]
    return int(row["count"]) if row else 0


async def test_night_scores_all_leads_and_leaves_one_record(services: Services) -> None:
    for name in ("Ana Quispe", "Luis Soto"):
        person = await services.people.create_person(
            CreatePerson(full_name=name), actor=SERVICE_ACTOR
        )
        command = CreateLead(person_id=person.id, source="event")
        await services.pipeline.open_lead(command, actor=SERVICE_ACTOR)

    assert await score_every_night(services)
    assert not await score_every_night(services)

    kept = "SELECT count(*) FROM audit_events WHERE action = 'score_leads' AND outcome = 'ok'"
    assert await _count(services, kept) == 1
    unscored = (
        "SELECT count(*) FROM leads l WHERE stage NOT IN ('enrolled', 'lost') "
        "AND NOT EXISTS (SELECT FROM lead_scores WHERE lead_id = l.id)"
    )
    assert await _count(services, unscored) == 0
    assert await _count(services, "SELECT count(*) FROM lead_scores") == 2


async def test_nothing_due_leaves_no_record(services: Services) -> None:
    await score_due_leads(services)
    counted = "SELECT count(*) FROM audit_events WHERE action = 'score_leads'"
    before = await _count(services, counted)

    await score_due_leads(services)

    assert await _count(services, counted) == before


@pytest.mark.parametrize(("hour", "nights_ago"), [(2, 1), (9, 0)])
def test_night_begins_at_three_in_the_institution(hour: int, nights_ago: int) -> None:
    now = datetime(2026, 11, 24, hour + 5, 30, tzinfo=UTC)  # Lima is five hours behind

    due = datetime(2026, 11, 24, 8, tzinfo=UTC) - timedelta(days=nights_ago)
    assert night_before(now, "America/Lima") == due
