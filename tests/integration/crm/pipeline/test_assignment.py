"""Leads go to advisors who fit, in equal shares, however many come at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from crm.actor import SERVICE_ACTOR
from crm.errors import RuleBroken
from crm.ids import StaffId, new_id
from crm.pipeline.service import PipelineService

Office = Any


@pytest.fixture(autouse=True)
async def nobody_on_duty(office: Office) -> None:
    await office.execute("UPDATE staff SET active = false")


async def test_shares_are_equal_under_concurrency(office: Office) -> None:
    team = [await office.new_advisor(("es",)) for _ in range(4)]

    opened = await asyncio.gather(*(office.open_lead() for _ in range(20)))

    shares = Counter(lead.staff_id for lead in opened)
    assert shares == {advisor.staff_id: 5 for advisor in team}
    lead_ids = [lead.id for lead in opened]
    told = (
        "SELECT count(*) FROM outbox WHERE name = 'LeadAssigned' AND payload->>'lead_id' = ANY(%s)"
    )
    assert await office.count(told, [str(lead_id) for lead_id in lead_ids]) == 20


async def test_language_and_area_decide_who_fits(office: Office) -> None:
    speaks = await office.new_advisor(("en",))
    knows = await office.new_advisor(("es",), ("datos",))
    await office.new_advisor(("es",), ("salud",))

    english = [await office.open_lead(language="en", course_code="DAT-101") for _ in range(2)]
    data = [await office.open_lead(programme_code="DIP-DAT") for _ in range(2)]

    assert {lead.staff_id for lead in english} == {speaks.staff_id}
    assert {lead.staff_id for lead in data} == {knows.staff_id}


async def test_lead_that_nobody_fits_stays_unassigned(office: Office) -> None:
    await office.new_advisor(("en",))

    lead = await office.open_lead(language="es")

    assert lead.staff_id is None
    assert await office.events("LeadAssigned", lead_id=lead.id) == 0


async def test_busy_advisor_waits_for_the_others(office: Office) -> None:
    busy, free = [await office.new_advisor(("es",)) for _ in range(2)]
    for _ in range(3):
        await office.open_lead(staff_id=busy.staff_id)

    opened = [await office.open_lead() for _ in range(3)]

    assert {lead.staff_id for lead in opened} == {free.staff_id}


async def test_staff_reassign_by_hand(office: Office) -> None:
    one, two = [await office.new_advisor(("es",)) for _ in range(2)]
    service = PipelineService(office.database)
    lead = await office.open_lead(staff_id=one.staff_id)

    given = await service.assign_lead(lead.id, two.staff_id, actor=one)
    nobody = await service.assign_lead(lead.id, None, actor=one)
    ruled = await service.assign_lead(lead.id, None, by_rule=True, actor=SERVICE_ACTOR)

    assert given.staff_id == two.staff_id
    assert nobody.staff_id is None
    assert ruled.staff_id in {one.staff_id, two.staff_id}
    with pytest.raises(RuleBroken, match=r"lead\.assignee"):
        await service.assign_lead(lead.id, StaffId(new_id()), actor=one)
