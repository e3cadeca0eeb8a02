"""Enrolments as acts within a transaction: confirm, withdraw, transfer."""

from dataclasses import replace

from crm.actor import Actor
from crm.courses.enrolments import store
from crm.courses.enrolments.eligibility import require_eligible
from crm.courses.enrolments.events import (
    EnrolmentConfirmed,
    EnrolmentTransferred,
    EnrolmentWithdrawn,
)
from crm.courses.enrolments.models import (
    Enrolment,
    EnrolmentId,
    check_running,
    check_transfer,
)
from crm.courses.models import Cohort, CohortId
from crm.courses.seats import store as holds
from crm.courses.seats.acts import find_hold, require_seat, unclaimed_hold
from crm.courses.seats.authority import check_reason, seat_owner
from crm.courses.seats.models import DEFAULT_POLICY, HoldId, HoldStatus, SeatHold, SeatPolicy
from crm.courses.seats.turnover import lock_cohort, lock_cohorts, settle
from crm.courses.seats.waitlist import store as waitlist
from crm.db import UnitOfWork
from crm.errors import NotFound, RuleBroken
from crm.ids import PersonId, new_id
from crm.journal.audit import performed
from crm.people.standing import require_active


async def confirm_enrolment(
    uow: UnitOfWork, *, hold_id: HoldId, actor: Actor, policy: SeatPolicy = DEFAULT_POLICY
) -> Enrolment:
    """Turn a hold into an enrolment; the same hold gives the same enrolment, whatever became of it.

    A hold that lapsed or was released takes a free seat if there is one that nobody waits for.

    Raises:
        NotFound("hold.unknown"): no such hold, or it is somebody else's.
        RuleBroken("hold.lost"): the hold is over, and there is no other seat.
        RuleBroken("cohort.closed"): the cohort was cancelled.
        RuleBroken: see `models.check_standing`.
        Denied("auth.role" | "identity.level").
    """
    found = await find_hold(uow, hold_id, actor)
    cohort = await lock_cohort(uow, found.cohort_id, policy)
    if before := await store.select_by_hold(uow.conn, hold_id):
        return before
    hold = await find_hold(uow, hold_id, actor)
    if cohort.status == "cancelled":
        raise RuleBroken("cohort.closed", "This cohort was cancelled.")
    await require_eligible(uow, hold.person_id, cohort, waived=hold.waived)
    if hold.status != "live":
        await _take_another_seat(uow, hold, cohort, policy)
    await _end_hold(uow, hold, "confirmed")
    enrolment = _new_enrolment(uow, hold.person_id, cohort, hold_id=hold_id)
    await store.insert_enrolment(uow.conn, enrolment)
    _note_confirmed(uow, enrolment, hold_id, actor)
    return enrolment


async def withdraw_enrolment(
    uow: UnitOfWork,
    *,
    enrolment_id: EnrolmentId,
    reason: str,
    actor: Actor,
    policy: SeatPolicy = DEFAULT_POLICY,
) -> Enrolment:
    """Give a seat back, which goes to who waits for it; withdrawing twice changes nothing.

    Raises:
        NotFound("enrolment.unknown"): no such enrolment, or it is somebody else's.
        RuleBroken("enrolment.ended" | "enrolment.reason").
        Denied("auth.role" | "identity.level").
    """
    check_reason(reason, "enrolment.reason")
    found = await find_enrolment(uow, enrolment_id, actor)
    await lock_cohort(uow, found.cohort_id, policy)
    enrolment = await find_enrolment(uow, enrolment_id, actor)
    if enrolment.status == "withdrawn":
        return enrolment
    check_running(enrolment)
    ended_at = uow.clock.now()
    await store.end_enrolment(uow.conn, enrolment_id, "withdrawn", at=ended_at)
    person_id, cohort_id = enrolment.person_id, enrolment.cohort_id
    uow.publish(
        EnrolmentWithdrawn(enrolment_id=enrolment_id, person_id=person_id, cohort_id=cohort_id)
    )
    payload = {"enrolment_id": enrolment_id, "reason": reason}
    uow.audit(performed(actor, "enrolment.withdraw", about=person_id, payload=payload))
    await settle(uow, [cohort_id], policy)
    return replace(enrolment, status="withdrawn", ended_at=ended_at)


async def transfer_enrolment(
    uow: UnitOfWork,
    *,
    enrolment_id: EnrolmentId,
    to_cohort_id: CohortId,
    actor: Actor,
    policy: SeatPolicy = DEFAULT_POLICY,
) -> Enrolment:
    """Change to another cohort of the same course; repeating it returns the same enrolment.

    What the cohorts' prices differ by is not settled here.

    Returns: the new enrolment, `transferred_from` the old one.

    Raises:
        NotFound("enrolment.unknown" | "cohort.unknown").
        RuleBroken("enrolment.ended" | "enrolment.exists" | "transfer.course" | "person.inactive").
        RuleBroken("cohort.closed" | "cohort.full" | "cohort.waitlist"): no seat in the target.
        Denied("auth.role" | "identity.level").
    """
    found = await find_enrolment(uow, enrolment_id, actor)
    cohorts = await lock_cohorts(uow, {found.cohort_id, to_cohort_id}, policy)
    old = await find_enrolment(uow, enrolment_id, actor)
    if (before := await store.select_successor(uow.conn, old.id)) and (
        before.cohort_id == to_cohort_id
    ):
        return before
    check_running(old)
    target = cohorts[to_cohort_id]
    check_transfer(cohorts[old.cohort_id], target)
    hold = await _seat_in(uow, old.person_id, target, policy)
    await store.end_enrolment(uow.conn, old.id, "transferred", at=uow.clock.now())
    new = _new_enrolment(uow, old.person_id, target, hold_id=hold, transferred_from=old.id)
    await store.insert_enrolment(uow.conn, new)
    _note_transferred(uow, old, new, actor)
    await settle(uow, cohorts.keys(), policy)
    return new


async def find_enrolment(
    uow: UnitOfWork, enrolment_id: EnrolmentId, actor: Actor, *, write: bool = True
) -> Enrolment:
    """Return an enrolment the actor may touch.

    Raises: NotFound("enrolment.unknown"); Denied("auth.role" | "identity.level").
    """
    owner = seat_owner(actor, write=write)
    enrolment = await store.select_enrolment(uow.conn, enrolment_id, owner=owner)
    if enrolment is None:
        raise NotFound("enrolment.unknown", "There is no such enrolment.")
    return enrolment


async def _take_another_seat(
    uow: UnitOfWork, hold: SeatHold, cohort: Cohort, policy: SeatPolicy
) -> None:
    """Find a seat for one whose hold is over: their own newer hold or offer, or a free one.

    Raises: RuleBroken("hold.lost").
    """
    try:
        own = await unclaimed_hold(uow, cohort.id, hold.person_id)
        if own is None:
            await require_seat(uow, cohort, policy)
    except RuleBroken as refused:
        raise RuleBroken("hold.lost", "The seat is gone, and there is no other.") from refused
    if own:
        await _end_hold(uow, own, "released")


async def _seat_in(
    uow: UnitOfWork, person_id: PersonId, target: Cohort, policy: SeatPolicy
) -> HoldId | None:
    """Take the person's hold or offer in a cohort, or None for a free seat there."""
    await store.lock_course_of_person(uow.conn, person_id, target.course_code)
    await require_active(uow, person_id)
    if await store.keeps_seat(uow.conn, person_id, target.id):
        raise RuleBroken("enrolment.exists", "This person has a seat there already.")
    own = await unclaimed_hold(uow, target.id, person_id)
    if own is None:
        await require_seat(uow, target, policy)
        return None
    await _end_hold(uow, own, "confirmed")
    return own.id


async def _end_hold(uow: UnitOfWork, hold: SeatHold, status: HoldStatus) -> None:
    """Note that a hold became an enrolment, and that who waited for it has it."""
    now = uow.clock.now()
    await holds.end_hold(uow.conn, hold.id, status, at=now)
    if hold.entry_id:
        await waitlist.end_entries(uow.conn, [hold.entry_id], "enrolled", at=now)


def _new_enrolment(
    uow: UnitOfWork,
    person_id: PersonId,
    cohort: Cohort,
    *,
    hold_id: HoldId | None,
    transferred_from: EnrolmentId | None = None,
) -> Enrolment:
    return Enrolment(
        id=EnrolmentId(new_id()),
        person_id=person_id,
        cohort_id=cohort.id,
        course_code=cohort.course_code,
        status="confirmed",
        hold_id=hold_id,
        transferred_from=transferred_from,
        confirmed_at=uow.clock.now(),
        ended_at=None,
    )


def _note_confirmed(uow: UnitOfWork, made: Enrolment, hold_id: HoldId, actor: Actor) -> None:
    uow.publish(
        EnrolmentConfirmed(
            enrolment_id=made.id,
            person_id=made.person_id,
            cohort_id=made.cohort_id,
            hold_id=hold_id,
        )
    )
    payload = {"enrolment_id": made.id, "cohort_id": made.cohort_id, "hold_id": hold_id}
    uow.audit(performed(actor, "enrolment.confirm", about=made.person_id, payload=payload))


def _note_transferred(uow: UnitOfWork, old: Enrolment, new: Enrolment, actor: Actor) -> None:
    uow.publish(
        EnrolmentTransferred(
            from_enrolment_id=old.id,
            enrolment_id=new.id,
            person_id=new.person_id,
            from_cohort_id=old.cohort_id,
            cohort_id=new.cohort_id,
        )
    )
    payload = {"from": old.id, "to": new.id, "cohort_id": new.cohort_id}
    uow.audit(performed(actor, "enrolment.transfer", about=new.person_id, payload=payload))
