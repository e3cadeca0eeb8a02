"""Opens, corrects and moves leads, in the caller's transaction.

Rows are locked in one order: person, lead, turns of assignment, clocks.
"""

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.errors import NotFound
from crm.facts import facts_of
from crm.ids import PersonId, new_id
from crm.journal.audit import performed
from crm.people.authority import check_active
from crm.people.models import Locale
from crm.pipeline import models, store
from crm.pipeline.activities.acts import note_activity
from crm.pipeline.assignment.acts import assign_by_rule, assign_to
from crm.pipeline.events import LeadCreated, LeadLost, LeadStageChanged, LeadUpdated
from crm.pipeline.models import (
    CreateLead,
    Lead,
    LeadChanges,
    LeadId,
    LostReason,
    Stage,
    StageChange,
)
from crm.pipeline.sla.acts import start_clock, stop_clocks
from crm.pipeline.sla.models import FIRST_RESPONSE, NEXT_STEP


async def open_lead(
    uow: UnitOfWork, command: CreateLead, *, actor: Actor, attended: bool = True
) -> Lead:
    """Open a lead, give it to whoever is next, and start the clock of the first response.

    Args:
        attended: False when nobody has to look after it, e.g. because it is history.

    Raises:
        Conflict("lead.exists"): the person has an open one for the same thing and term.
        RuleBroken("lead.interest" | "lead.assignee" | "person.inactive").
        NotFound("person.unknown" | "lead.interest_unknown").
    """
    models.check_interest(command.programme_code, command.course_code)
    locale = await _locale(uow, command.person_id)
    lead = await _insert(uow, command, locale, actor)
    if command.staff_id is not None:
        lead = await assign_to(uow, lead, command.staff_id, actor=actor)
    elif attended:
        lead = await assign_by_rule(uow, lead, actor=actor)
    if attended:
        await _await_response(uow, lead)
        await _time_stage(uow, lead)
    return lead


async def _locale(uow: UnitOfWork, person_id: PersonId) -> Locale:
    person = await store.lock_person(uow.conn, person_id)
    if person is None:
        raise NotFound("person.unknown", "There is no such person.")
    check_active(person["status"])
    return "en" if person["locale"] == "en" else "es"


async def _insert(uow: UnitOfWork, command: CreateLead, locale: Locale, actor: Actor) -> Lead:
    now = uow.clock.now()
    lead = Lead(
        **facts_of(command)
        | {"id": LeadId(new_id()), "language": command.language or locale, "staff_id": None},
        lost_reason=None,
        version=1,
        created_at=now,
        stage_since=now,
        last_activity_at=now,
    )
    await store.insert_lead(uow.conn, lead)
    await _write_history(uow, None, lead, actor)
    uow.publish(LeadCreated(lead_id=lead.id, person_id=lead.person_id))
    uow.audit(
        performed(actor, "lead.create", about=lead.person_id, payload={"lead": facts_of(lead)})
    )
    return lead


async def change_lead(
    uow: UnitOfWork, lead_id: LeadId, changes: LeadChanges, *, expected_version: int, actor: Actor
) -> Lead:
    """Correct what is known of an interest, if nobody else has since `expected_version`.

    Raises:
        Conflict("lead.stale" | "lead.exists").
        RuleBroken("lead.interest"); NotFound("lead.unknown" | "lead.interest_unknown").
    """
    before = await lock_lead(uow, lead_id, expected_version)
    news = {name: value for name, value in changes.items() if getattr(before, name) != value}
    if not news:
        return before
    models.check_interest(
        changes.get("programme_code", before.programme_code),
        changes.get("course_code", before.course_code),
    )
    after = await store.update_lead(uow.conn, lead_id, news)
    uow.publish(LeadUpdated(lead_id=lead_id, version=after.version))
    told = {name: [getattr(before, name), value] for name, value in news.items()}
    uow.audit(
        performed(
            actor,
            "lead.update",
            about=after.person_id,
            payload={"lead_id": lead_id, "changes": told},
        )
    )
    return after


async def move_lead(
    uow: UnitOfWork,
    lead_id: LeadId,
    to: Stage,
    *,
    reason: LostReason | None = None,
    expected_version: int | None = None,
    actor: Actor,
) -> Lead:
    """Move a lead to a stage that may follow its own; from lost it comes back.

    Raises:
        RuleBroken("lead.transition" | "lead.reason").
        Conflict("lead.stale"): somebody else has changed it meanwhile.
        Conflict("lead.exists"): it would come back beside another application for the same.
        NotFound("lead.unknown").
    """
    before = await lock_lead(uow, lead_id, expected_version)
    models.check_transition(before.stage, to)
    models.check_reason(to, reason)
    now = uow.clock.now()
    latest = max(before.last_activity_at, now)
    moved = {"stage": to, "lost_reason": reason, "stage_since": now, "last_activity_at": latest}
    after = await store.update_lead(uow.conn, lead_id, moved)
    await _write_history(uow, before.stage, after, actor)
    _tell_move(uow, before, after, actor)
    await note_activity(
        uow,
        person_id=after.person_id,
        kind="stage",
        about={"from": before.stage, "to": to, "reason": reason},
        occurred_at=now,
        actor=actor,
        lead_id=lead_id,
        source_key=f"lead:{lead_id}:stage:{after.version}",
    )
    await _time_stage(uow, after)
    return after


async def lock_lead(uow: UnitOfWork, lead_id: LeadId, expected_version: int | None = None) -> Lead:
    """Return a lead that nobody else can change meanwhile.

    Raises: NotFound("lead.unknown"); Conflict("lead.stale").
    """
    lead = await store.select_lead(uow.conn, lead_id, lock=True)
    if lead is None:
        raise NotFound("lead.unknown", "There is no such lead.")
    models.check_current(lead, expected_version)
    return lead


async def _write_history(uow: UnitOfWork, before: Stage | None, lead: Lead, actor: Actor) -> None:
    change = StageChange(
        id=new_id(),
        lead_id=lead.id,
        from_stage=before,
        to_stage=lead.stage,
        reason=lead.lost_reason,
        staff_id=actor.staff_id,
        occurred_at=uow.clock.now(),
    )
    await store.insert_stage(uow.conn, change)


def _tell_move(uow: UnitOfWork, before: Lead, after: Lead, actor: Actor) -> None:
    uow.publish(
        LeadStageChanged(
            lead_id=after.id,
            person_id=after.person_id,
            from_stage=before.stage,
            to_stage=after.stage,
        )
    )
    if after.lost_reason is not None:
        uow.publish(LeadLost(lead_id=after.id, person_id=after.person_id, reason=after.lost_reason))
    moved = {"lead_id": after.id, "from": before.stage, "to": after.stage}
    payload = {**moved, "reason": after.lost_reason}
    uow.audit(performed(actor, "lead.stage", about=after.person_id, payload=payload))


async def _time_stage(uow: UnitOfWork, lead: Lead) -> None:
    """Start the clock of the next step anew; a lead that is closed is waited for no longer."""
    still_open = lead.is_open
    await stop_clocks(
        uow,
        subject_kind="lead",
        subject_id=lead.id,
        target="next_step" if still_open else None,
    )
    if still_open:
        await start_clock(
            uow,
            subject_kind="lead",
            subject_id=lead.id,
            target="next_step",
            allowance=NEXT_STEP[lead.stage],
            effect_key=f"lead:{lead.id}:next_step:{lead.version}",
        )


async def _await_response(uow: UnitOfWork, lead: Lead) -> None:
    await start_clock(
        uow,
        subject_kind="lead",
        subject_id=lead.id,
        target="first_response",
        allowance=FIRST_RESPONSE,
        effect_key=f"lead:{lead.id}:first_response",
    )
