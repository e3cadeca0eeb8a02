"""Gives leads to advisors, by the rule or by hand, in the caller's transaction.

The lead is locked before the turns: whoever assigns holds one lead and then waits for its turn.
"""

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.errors import RuleBroken
from crm.ids import StaffId
from crm.journal.audit import performed
from crm.pipeline import store as leads
from crm.pipeline.assignment import store
from crm.pipeline.assignment.rules import choose
from crm.pipeline.events import LeadAssigned
from crm.pipeline.models import Lead


async def assign_by_rule(uow: UnitOfWork, lead: Lead, *, actor: Actor) -> Lead:
    """Give a lead, locked by the caller, to whoever is next; it stays as it is if nobody fits."""
    await store.lock_turns(uow.conn)
    area = await store.select_area(
        uow.conn, programme_code=lead.programme_code, course_code=lead.course_code
    )
    candidates = await store.select_candidates(uow.conn)
    chosen = choose(candidates, language=lead.language, area=area)
    if chosen is None:
        return lead
    await store.take_turn(uow.conn, chosen)
    return await _give(uow, lead, chosen, actor, rule=True)


async def assign_to(uow: UnitOfWork, lead: Lead, staff_id: StaffId | None, *, actor: Actor) -> Lead:
    """Give a lead, locked by the caller, to somebody, or to nobody.

    Raises: RuleBroken("lead.assignee"): not somebody who works with leads.
    """
    if staff_id is not None and not await leads.is_on_duty(uow.conn, staff_id):
        raise RuleBroken("lead.assignee", "Nobody on duty has this id.")
    return await _give(uow, lead, staff_id, actor, rule=False)


async def _give(
    uow: UnitOfWork, lead: Lead, staff_id: StaffId | None, actor: Actor, *, rule: bool
) -> Lead:
    if lead.staff_id == staff_id:
        return lead
    after = await leads.update_lead(uow.conn, lead.id, {"staff_id": staff_id})
    uow.publish(LeadAssigned(lead_id=lead.id, staff_id=staff_id))
    payload = {"lead_id": lead.id, "from": lead.staff_id, "to": staff_id, "by_rule": rule}
    uow.audit(performed(actor, "lead.assign", about=lead.person_id, payload=payload))
    return after
