"""Holds of seats as acts within a transaction: place, release, let expire."""

from datetime import datetime, timedelta

from crm.actor import Actor
from crm.courses.enrolments.eligibility import require_eligible
from crm.courses.models import Cohort, CohortId
from crm.courses.seats import store
from crm.courses.seats.authority import (
    check_person,
    check_reason,
    check_waiver,
    seat_owner,
)
from crm.courses.seats.events import SeatHeld, SeatReleased, WaitlistLeft
from crm.courses.seats.models import (
    DEFAULT_POLICY,
    HoldId,
    SeatHold,
    SeatPolicy,
    check_life,
    check_open,
)
from crm.courses.seats.turnover import lock_cohort, settle
from crm.courses.seats.waitlist import store as waitlist
from crm.db import UnitOfWork
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import PersonId, new_id
from crm.journal.audit import performed

#: As many holds as one round of `expire_holds` looks at.
EXPIRE_BATCH = 200


async def hold_seat(
    uow: UnitOfWork,
    *,
    cohort_id: CohortId,
    person_id: PersonId,
    life: timedelta,
    effect_key: str | None,
    actor: Actor,
    waiver: str | None = None,
    policy: SeatPolicy = DEFAULT_POLICY,
) -> SeatHold:
    """Keep a seat for a person for a while, taking over an offer or a hold that is nobody's yet.

    Args:
        effect_key: whose the hold is to confirm or release; the same key returns the same hold,
            whatever has become of it. None leaves it for the taking by the next call with a key.
        waiver: why staff let the person in without the prerequisites.

    Raises:
        NotFound("cohort.unknown" | "person.unknown").
        RuleBroken("cohort.closed" | "cohort.full" | "hold.life").
        RuleBroken("cohort.waitlist"): full, and others wait; join them.
        RuleBroken("enrolment.exists"): enrolled in the course, or another effect is enrolling them.
        RuleBroken("enrolment.prerequisites" | "enrolment.waiver" | "person.inactive").
        Conflict("hold.effect"): the key holds somebody else's seat, or another.
        Denied("auth.role" | "identity.level" | "enrolment.waiver").
    """
    check_person(actor, person_id)
    check_life(life)
    check_waiver(actor, waiver)
    cohort = await lock_cohort(uow, cohort_id, policy)
    if effect_key and (before := await store.select_by_effect(uow.conn, effect_key)):
        return _same(before, cohort_id, person_id)
    own = await unclaimed_hold(uow, cohort_id, person_id)
    waived = waiver is not None or (own is not None and own.waived)
    await require_eligible(uow, person_id, cohort, waived=waived)
    until = uow.clock.now() + life
    if own is None:
        await require_seat(uow, cohort, policy)
        hold = _new_hold(uow, cohort_id, person_id, until, effect_key, waived)
        await store.insert_holds(uow.conn, [hold])
    elif effect_key:
        hold = await store.bind_hold(
            uow.conn, own.id, effect_key=effect_key, until=until, waived=waived
        )
    else:
        return own
    _note_held(uow, hold, actor, waiver)
    return hold


async def release_hold(
    uow: UnitOfWork,
    hold_id: HoldId,
    *,
    reason: str,
    actor: Actor,
    policy: SeatPolicy = DEFAULT_POLICY,
) -> bool:
    """Give a seat back before its time; False when the hold was no longer live.

    Releasing an offer declines it.

    Raises:
        NotFound("hold.unknown"): no such hold, or it is somebody else's.
        RuleBroken("hold.reason").
        Denied("auth.role" | "identity.level").
    """
    check_reason(reason, "hold.reason")
    found = await find_hold(uow, hold_id, actor)
    await lock_cohort(uow, found.cohort_id, policy)
    hold = await find_hold(uow, hold_id, actor)
    if hold.status != "live":
        return False
    await store.end_hold(uow.conn, hold_id, "released", at=uow.clock.now())
    where = {"cohort_id": hold.cohort_id, "person_id": hold.person_id}
    uow.publish(SeatReleased(hold_id=hold_id, **where))
    if hold.entry_id:
        await waitlist.end_entries(uow.conn, [hold.entry_id], "declined", at=uow.clock.now())
        uow.publish(WaitlistLeft(entry_id=hold.entry_id, **where))
    payload = {"hold_id": hold_id, "reason": reason}
    uow.audit(performed(actor, "seat.release", about=hold.person_id, payload=payload))
    await settle(uow, [hold.cohort_id], policy)
    return True


async def expire_holds(
    uow: UnitOfWork, *, limit: int = EXPIRE_BATCH, policy: SeatPolicy = DEFAULT_POLICY
) -> int:
    """Let overdue holds and offers lapse and offer their seats; returns how many lapsed.

    Cohorts that somebody else is working in are left to them: who locks one settles it.
    """
    cohort_ids = await store.lock_due_cohorts(uow.conn, at=uow.clock.now(), limit=limit)
    return (await settle(uow, cohort_ids, policy)).lapsed if cohort_ids else 0


async def find_hold(
    uow: UnitOfWork,
    hold_id: HoldId,
    actor: Actor,
    *,
    cohort_id: CohortId | None = None,
    write: bool = True,
) -> SeatHold:
    """Return a hold the actor may touch.

    Args:
        cohort_id: of another cohort it is not found.

    Raises: NotFound("hold.unknown"); Denied("auth.role" | "identity.level").
    """
    owner = seat_owner(actor, write=write)
    hold = await store.select_hold(uow.conn, hold_id, owner=owner)
    if hold is None or cohort_id not in (None, hold.cohort_id):
        raise NotFound("hold.unknown", "There is no such hold.")
    return hold


async def unclaimed_hold(
    uow: UnitOfWork, cohort_id: CohortId, person_id: PersonId
) -> SeatHold | None:
    """Return a person's hold of a settled cohort that is for the taking.

    Raises: RuleBroken("enrolment.exists"): another effect will confirm or release it.
    """
    own = await store.select_live(uow.conn, cohort_id, person_id)
    if own and own.effect_key:
        raise RuleBroken("enrolment.exists", "This person is being enrolled already.")
    return own


async def require_seat(uow: UnitOfWork, cohort: Cohort, policy: SeatPolicy) -> None:
    """Check that a settled cohort has a seat for a newcomer.

    Raises: RuleBroken("cohort.closed" | "cohort.full" | "cohort.waitlist").
    """
    check_open(cohort, uow.clock.now(), policy)
    if cohort.seats_left > 0:
        return
    if await waitlist.has_open_entries(uow.conn, cohort.id):
        raise RuleBroken("cohort.waitlist", "The cohort is full, and others wait for a seat.")
    raise RuleBroken("cohort.full", "The cohort is full.")


def _same(hold: SeatHold, cohort_id: CohortId, person_id: PersonId) -> SeatHold:
    if (hold.cohort_id, hold.person_id) != (cohort_id, person_id):
        raise Conflict("hold.effect", "This effect holds another seat.")
    return hold


def _new_hold(
    uow: UnitOfWork,
    cohort_id: CohortId,
    person_id: PersonId,
    until: datetime,
    effect_key: str | None,
    waived: bool,
) -> SeatHold:
    return SeatHold(
        id=HoldId(new_id()),
        cohort_id=cohort_id,
        person_id=person_id,
        kind="student",
        status="live",
        waived=waived,
        effect_key=effect_key,
        entry_id=None,
        created_at=uow.clock.now(),
        expires_at=until,
        ended_at=None,
    )


def _note_held(uow: UnitOfWork, hold: SeatHold, actor: Actor, waiver: str | None) -> None:
    uow.publish(
        SeatHeld(
            hold_id=hold.id,
            cohort_id=hold.cohort_id,
            person_id=hold.person_id,
            expires_at=hold.expires_at,
        )
    )
    payload = {"hold_id": hold.id, "cohort_id": hold.cohort_id, "waiver": waiver}
    uow.audit(performed(actor, "seat.hold", about=hold.person_id, payload=payload))
