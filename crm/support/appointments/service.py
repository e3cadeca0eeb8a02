"""Use cases of appointments: offer hours, find a time, book, move, cancel, end, list."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from crm.actor import Actor
from crm.business_hours import write_week
from crm.db import Database, UnitOfWork
from crm.errors import Denied, NotFound, RuleBroken
from crm.facts import facts_of
from crm.identity.permissions import Area, require
from crm.ids import PersonId, StaffId
from crm.journal.audit import performed, shown
from crm.journal.idempotency import IdempotencyKey
from crm.once import run_once
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.authority import audits_reads, owner_of
from crm.pipeline.store import is_on_duty
from crm.support.appointments import acts, store
from crm.support.appointments.candidates import find_slots
from crm.support.appointments.models import (
    AdvisorHours,
    Appointment,
    AppointmentFilters,
    AppointmentId,
    AppointmentPolicy,
    BookAppointment,
    Ending,
    Mode,
)
from crm.support.appointments.slots import Slot

#: As many appointments ahead as a student is shown.
_AHEAD = 10


class AppointmentService:
    """Looks after advisors' hours and what is booked in them.

    Args:
        policy: what students may book by themselves.
    """

    def __init__(self, database: Database, policy: AppointmentPolicy = acts.DEFAULT_POLICY) -> None:
        self._db = database
        self.policy = policy

    async def list_slots(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        mode: Mode | None = None,
        staff_id: StaffId | None = None,
    ) -> Sequence[Slot]:
        """Return the free times that students may book, the earliest first.

        Args:
            since: earliest start; never before the notice that the policy asks for.
            until: latest start; never after the policy's horizon.
        """
        now = self._db.clock.now()
        first = max(since or now, now + self.policy.notice)
        last = min(until or now + self.policy.horizon, now + self.policy.horizon)
        if last < first:
            return ()
        async with self._db.read() as conn:
            return await find_slots(conn, since=first, until=last, mode=mode, staff_id=staff_id)

    async def book(
        self, command: BookAppointment, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Appointment:
        """Book a time as staff.

        Raises: as `acts.book_appointment`; Denied("auth.role").
        """

        async def work(uow: UnitOfWork) -> Appointment:
            return await acts.book_appointment(uow, command, actor=actor, policy=self.policy)

        return await self._once(facts_of(command), work, actor=actor, idempotency=idempotency)

    async def move(
        self,
        appointment_id: AppointmentId,
        starts_at: datetime,
        *,
        expected_version: int,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Appointment:
        """Move an appointment as staff.

        Raises: as `acts.move_appointment`; Denied("auth.role").
        """

        async def work(uow: UnitOfWork) -> Appointment:
            return await acts.move_appointment(
                uow,
                appointment_id,
                starts_at,
                expected_version=expected_version,
                actor=actor,
                policy=self.policy,
            )

        said = {"id": appointment_id, "to": starts_at, "version": expected_version}
        return await self._once(said, work, actor=actor, idempotency=idempotency)

    async def cancel(
        self,
        appointment_id: AppointmentId,
        *,
        reason: str,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Appointment:
        """Cancel an appointment as staff.

        Raises: as `acts.cancel_appointment`; Denied("auth.role").
        """

        async def work(uow: UnitOfWork) -> Appointment:
            return await acts.cancel_appointment(uow, appointment_id, reason=reason, actor=actor)

        said = {"id": appointment_id, "reason": reason}
        return await self._once(said, work, actor=actor, idempotency=idempotency)

    async def end(
        self,
        appointment_id: AppointmentId,
        to: Ending,
        *,
        expected_version: int | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Appointment:
        """Say whether they met.

        Raises: as `acts.end_appointment`; Denied("auth.role").
        """

        async def work(uow: UnitOfWork) -> Appointment:
            return await acts.end_appointment(
                uow, appointment_id, to, expected_version=expected_version, actor=actor
            )

        said = {"id": appointment_id, "to": to, "version": expected_version}
        return await self._once(said, work, actor=actor, idempotency=idempotency)

    async def _once(
        self,
        arguments: Mapping[str, object],
        work: Callable[[UnitOfWork], Awaitable[Appointment]],
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None,
    ) -> Appointment:
        require(actor, Area.APPOINTMENTS, write=True)
        return await run_once(
            self._db, idempotency, arguments, work, kind=Appointment, about=_whose
        )

    async def get_appointment(self, appointment_id: AppointmentId, *, actor: Actor) -> Appointment:
        """Return an appointment; the reading is audited.

        Raises: NotFound("appointment.unknown"); Denied("auth.role").
        """
        require(actor, Area.APPOINTMENTS)
        async with self._db.audited_read() as uow:
            found = await store.select_appointment(uow.conn, appointment_id)
            if found is None:
                raise NotFound("appointment.unknown", "There is no such appointment.")
            if audits_reads(actor):
                uow.audit(
                    shown(actor, "appointment.read", [found.person_id], appointment_id=found.id)
                )
        return found

    async def list_appointments(
        self,
        filters: AppointmentFilters,
        *,
        cursor: str | None = None,
        limit: int = 50,
        actor: Actor,
    ) -> Page[Appointment]:
        """Return appointments, the earliest first; the reading is audited.

        Raises: RuleBroken("page.cursor"); Denied("auth.role").
        """
        require(actor, Area.APPOINTMENTS)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            rows = await store.select_appointments(uow.conn, filters, after=after, limit=limit + 1)
            page = page_of(rows, limit, lambda one: encode_cursor(one.starts_at, one.id))
            if audits_reads(actor):
                uow.audit(shown(actor, "appointment.list", [one.person_id for one in page.items]))
        return page

    async def list_own_ahead(self, *, actor: Actor) -> Sequence[Appointment]:
        """Return what a student has booked and not had yet, the earliest first.

        Raises: Denied("identity.level"): not a student who has proven who they are.
        """
        person_id = owner_of(actor)
        if person_id is None:
            raise Denied("identity.level", "Only a student has appointments of their own.")
        filters = AppointmentFilters(
            person_id=PersonId(person_id), status="booked", starts_from=self._db.clock.now()
        )
        async with self._db.read() as conn:
            return await store.select_appointments(conn, filters, after=None, limit=_AHEAD)

    async def get_hours(self, staff_id: StaffId, *, actor: Actor) -> AdvisorHours:
        """Return the hours that an advisor offers.

        Raises: NotFound("appointment.hours"): none; Denied("auth.role").
        """
        require(actor, Area.APPOINTMENTS)
        async with self._db.read() as conn:
            found = await store.select_hours(conn, staff_id)
        if not found:
            raise NotFound("appointment.hours", "This advisor offers no hours.")
        return found[0]

    async def set_hours(
        self,
        hours: AdvisorHours,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> AdvisorHours:
        """Set the hours that an advisor offers; what is booked already stays.

        Raises:
            RuleBroken("appointment.staff"): nobody on duty has this id.
            Denied("auth.role"): also for a colleague's hours, unless an admin sets them.
        """
        _check_own_hours(actor, hours.staff_id)

        async def work(uow: UnitOfWork) -> AdvisorHours:
            if not await is_on_duty(uow.conn, hours.staff_id):
                raise RuleBroken("appointment.staff", "Nobody on duty has this id.")
            await store.upsert_hours(uow.conn, hours, at=uow.clock.now())
            uow.audit(performed(actor, "appointment.hours", payload=_said(hours)))
            return hours

        return await run_once(self._db, idempotency, _said(hours), work, kind=AdvisorHours)

    async def remove_hours(self, staff_id: StaffId, *, actor: Actor) -> None:
        """Let an advisor offer nothing any more; what is booked already stays.

        Raises: Denied("auth.role"): also for a colleague's hours, unless an admin removes them.
        """
        _check_own_hours(actor, staff_id)
        async with self._db.transaction() as uow:
            if await store.delete_hours(uow.conn, staff_id):
                said = {"staff_id": staff_id, "week": None}
                uow.audit(performed(actor, "appointment.hours", payload=said))


def _check_own_hours(actor: Actor, staff_id: StaffId) -> None:
    require(actor, Area.APPOINTMENTS, write=True)
    if actor.staff_id != staff_id:
        require(actor, Area.STAFF, write=True)


def _said(hours: AdvisorHours) -> dict[str, object]:
    return {
        "staff_id": hours.staff_id,
        "week": write_week(hours.week),
        "slot_s": int(hours.slot.total_seconds()),
        "modes": sorted(hours.modes),
    }


def _whose(appointment: Appointment) -> UUID:
    return appointment.person_id
