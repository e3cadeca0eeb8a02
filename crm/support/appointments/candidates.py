"""Which times are free, and which advisors could take an appointment."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from crm.actor import Actor
from crm.db import Connection, UnitOfWork
from crm.errors import Conflict, RuleBroken
from crm.ids import StaffId
from crm.pipeline.sla.store import select_calendar
from crm.pipeline.store import is_on_duty
from crm.support.appointments import models, store
from crm.support.appointments.models import Appointment, BookAppointment, Mode
from crm.support.appointments.slots import Slot, free_slots


async def find_slots(
    conn: Connection,
    *,
    since: datetime,
    until: datetime,
    mode: Mode | None = None,
    staff_id: StaffId | None = None,
) -> list[Slot]:
    """Return the free times of those who can be booked, the earliest first.

    Args:
        since: earliest start.
        until: latest start.
        staff_id: only this advisor's.
    """
    return free_slots(
        await store.select_hours(conn, staff_id),
        await select_calendar(conn),
        await store.select_taken(conn, since=since, until=until + models.LONGEST),
        since=since,
        until=until,
        mode=mode,
    )


async def candidates_of(uow: UnitOfWork, command: BookAppointment, actor: Actor) -> Sequence[Slot]:
    """Return who could take it: those who offer this time and are free, one's own advisor first.

    Raises: RuleBroken("appointment.staff" | "appointment.slot"): as staff chose, it cannot be.
    """
    if actor.is_staff and command.staff_id is not None:
        return [await _named(uow, command.staff_id, command.starts_at, command.ends_at)]
    free = await _starting_at(uow, command.starts_at, command.mode)
    own = await store.select_own_advisor(uow.conn, command.person_id)
    return sorted(free, key=lambda slot: slot.staff_id != own)


async def _named(
    uow: UnitOfWork, staff_id: StaffId, starts_at: datetime, ends_at: datetime | None
) -> Slot:
    if not await is_on_duty(uow.conn, staff_id):
        raise RuleBroken("appointment.staff", "Nobody on duty has this id.")
    if ends_at is None:
        offered = await store.select_hours(uow.conn, staff_id)
        ends_at = starts_at + (offered[0].slot if offered else timedelta(minutes=30))
    models.check_length(starts_at, ends_at)
    return Slot(starts_at, ends_at, staff_id)


async def _starting_at(uow: UnitOfWork, starts_at: datetime, mode: Mode) -> list[Slot]:
    return await find_slots(uow.conn, since=starts_at, until=starts_at, mode=mode)


async def slot_to_move_to(
    uow: UnitOfWork, before: Appointment, starts_at: datetime, actor: Actor
) -> Slot:
    """Return where it goes: with the same advisor, or for students another who is free.

    Raises: Conflict("appointment.taken").
    """
    if actor.is_staff:
        return Slot(starts_at, starts_at + (before.ends_at - before.starts_at), before.staff_id)
    free = await _starting_at(uow, starts_at, before.mode)
    same = [slot for slot in free if slot.staff_id == before.staff_id]
    if not free:
        raise taken()
    return (same or free)[0]


def taken() -> Conflict:
    """Return the refusal of a time at which nobody is free."""
    return Conflict("appointment.taken", "Nobody is free at this time.")
