"""Waitlists as acts within a transaction: join and leave."""

from crm.actor import Actor
from crm.courses.enrolments.eligibility import require_eligible
from crm.courses.models import CohortId
from crm.courses.seats.acts import release_hold
from crm.courses.seats.authority import check_person, check_waiver, seat_owner
from crm.courses.seats.events import WaitlistJoined, WaitlistLeft
from crm.courses.seats.models import (
    DEFAULT_POLICY,
    EntryId,
    SeatPolicy,
    WaitlistEntry,
    check_open,
)
from crm.courses.seats.store import select_live
from crm.courses.seats.turnover import lock_cohort, settle
from crm.courses.seats.waitlist import store
from crm.db import UnitOfWork
from crm.errors import Denied, NotFound, RuleBroken
from crm.ids import PersonId, new_id
from crm.journal.audit import performed


async def join_waitlist(
    uow: UnitOfWork,
    *,
    cohort_id: CohortId,
    person_id: PersonId,
    priority: int = 0,
    actor: Actor,
    waiver: str | None = None,
    policy: SeatPolicy = DEFAULT_POLICY,
) -> WaitlistEntry:
    """Queue for a seat; where one is free it is offered at once.

    Joining twice is one entry.

    Args:
        priority: staff may let somebody go first; the higher goes first.
        waiver: why staff let the person in without the prerequisites.

    Raises:
        NotFound("cohort.unknown" | "person.unknown").
        RuleBroken("cohort.closed").
        RuleBroken("waitlist.held"): holds a seat already.
        RuleBroken: see `enrolments.models.check_standing`.
        Denied("waitlist.priority" | "enrolment.waiver" | "auth.role" | "identity.level").
    """
    check_person(actor, person_id)
    check_waiver(actor, waiver)
    if priority and not actor.is_staff:
        raise Denied("waitlist.priority", "Only staff may let somebody go first.")
    cohort = await lock_cohort(uow, cohort_id, policy)
    if open_entry := await store.select_open_entry(uow.conn, cohort_id, person_id):
        return open_entry
    check_open(cohort, uow.clock.now(), policy)
    await require_eligible(uow, person_id, cohort, waived=waiver is not None)
    if await select_live(uow.conn, cohort_id, person_id):
        raise RuleBroken("waitlist.held", "This person holds a seat already.")
    entry = _new_entry(uow, cohort_id, person_id, priority=priority, waived=waiver is not None)
    await _add(uow, entry, actor, waiver)
    await settle(uow, [cohort_id], policy)
    return await find_entry(uow, entry.id, actor)


async def leave_waitlist(
    uow: UnitOfWork, *, entry_id: EntryId, actor: Actor, policy: SeatPolicy = DEFAULT_POLICY
) -> bool:
    """Stop waiting, declining the offer if there is one; False when it had ended before.

    Raises:
        NotFound("waitlist.unknown"): no such entry, or it is somebody else's.
        Denied("auth.role" | "identity.level").
    """
    found = await find_entry(uow, entry_id, actor)
    await lock_cohort(uow, found.cohort_id, policy)
    entry = await find_entry(uow, entry_id, actor)
    if entry.status == "offered" and entry.hold_id:
        return await release_hold(
            uow, entry.hold_id, reason="left the waitlist", actor=actor, policy=policy
        )
    if entry.status != "waiting":
        return False
    await store.end_entries(uow.conn, [entry_id], "left", at=uow.clock.now())
    uow.publish(
        WaitlistLeft(entry_id=entry_id, cohort_id=entry.cohort_id, person_id=entry.person_id)
    )
    payload = {"entry_id": entry_id}
    uow.audit(performed(actor, "waitlist.leave", about=entry.person_id, payload=payload))
    return True


async def find_entry(
    uow: UnitOfWork,
    entry_id: EntryId,
    actor: Actor,
    *,
    cohort_id: CohortId | None = None,
    write: bool = True,
) -> WaitlistEntry:
    """Return an entry the actor may touch.

    Args:
        cohort_id: of another cohort's queue it is not found.

    Raises: NotFound("waitlist.unknown"); Denied("auth.role" | "identity.level").
    """
    owner = seat_owner(actor, write=write)
    entry = await store.select_entry(uow.conn, entry_id, owner=owner)
    if entry is None or cohort_id not in (None, entry.cohort_id):
        raise NotFound("waitlist.unknown", "There is no such entry.")
    return entry


def _new_entry(
    uow: UnitOfWork, cohort_id: CohortId, person_id: PersonId, *, priority: int, waived: bool
) -> WaitlistEntry:
    return WaitlistEntry(
        id=EntryId(new_id()),
        cohort_id=cohort_id,
        person_id=person_id,
        priority=priority,
        waived=waived,
        status="waiting",
        joined_at=uow.clock.now(),
        ended_at=None,
    )


async def _add(uow: UnitOfWork, entry: WaitlistEntry, actor: Actor, waiver: str | None) -> None:
    await store.insert_entry(uow.conn, entry)
    uow.publish(
        WaitlistJoined(entry_id=entry.id, cohort_id=entry.cohort_id, person_id=entry.person_id)
    )
    payload = {"entry_id": entry.id, "priority": entry.priority, "waiver": waiver}
    uow.audit(performed(actor, "waitlist.join", about=entry.person_id, payload=payload))
