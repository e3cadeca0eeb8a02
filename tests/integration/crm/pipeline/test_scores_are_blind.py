"""Invariant 17: whoever somebody is, and wherever they come from, their score stays the same."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.actor import SERVICE_ACTOR
from crm.ids import new_id
from crm.pipeline.scoring.service import ScoringService

if TYPE_CHECKING:
    from crm.pipeline.models import LeadId

Office = Any

#: What must not count, or stands for what must not.
DENIED = st.fixed_dictionaries(
    {
        "full_name": st.sampled_from(["Ana Quispe", "Nguyễn Văn An", "John Smith", "فاطمة"]),
        "birth_date": st.none() | st.dates(date(1930, 1, 1), date(2016, 1, 1)),
        "locale": st.sampled_from(["es", "en"]),
        "time_zone": st.sampled_from(["America/Lima", "Europe/Madrid", "Asia/Tokyo"]),
        "phone": st.none() | st.just("new"),
        "has_guardian": st.booleans(),
        "language": st.sampled_from(["es", "en"]),
    }
)
ACTIVITIES = st.lists(
    st.tuples(st.sampled_from(["message", "call", "email"]), st.sampled_from(["in", "out"])),
    max_size=4,
)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(done=ACTIVITIES, one=DENIED, other=DENIED)
async def test_score_does_not_change_with_what_must_not_count(
    office: Office, done: list[tuple[Any, Any]], one: dict[str, Any], other: dict[str, Any]
) -> None:
    lead = await office.open_lead()
    for kind, direction in done:
        await office.note(lead, kind, direction)
    told = []
    for facts in (one, other):
        await become(office, lead.id, facts)
        told.append(await score(office, lead.id))
    assert told[0] == told[1]


async def become(office: Office, lead_id: LeadId, facts: dict[str, Any]) -> None:
    """Let a lead be somebody else's by all that must not count."""
    person_id = (await office.lead(lead_id)).person_id
    guardian = await office.new_person("Rosa") if facts["has_guardian"] else None
    phone = f"+51{new_id().int % 10**9:09d}" if facts["phone"] else None
    await office.execute(
        "UPDATE people SET full_name = %s, birth_date = %s, locale = %s, time_zone = %s, "
        "phone = %s, guardian_id = %s WHERE id = %s",
        *(facts["full_name"], facts["birth_date"], facts["locale"], facts["time_zone"]),
        *(phone, guardian, person_id),
    )
    await office.execute("UPDATE leads SET language = %s WHERE id = %s", facts["language"], lead_id)


async def score(office: Office, lead_id: LeadId) -> object:
    """Score a lead anew, and return its explanation."""
    await office.execute("DELETE FROM lead_scores WHERE lead_id = %s", lead_id)
    scoring = ScoringService(office.database)
    await scoring.mark_due(lead_id=lead_id)
    async with office.database.transaction() as uow:
        await scoring.score(uow, whole=False, actor=SERVICE_ACTOR)
    return (await scoring.read_score(lead_id, actor=SERVICE_ACTOR)).explanation
