"""Books, moves, cancels and ends appointments, in the caller's transaction."""

from datetime import datetime

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.errors import Denied, NotFound, RuleBroken
from crm.facts import facts_of
from crm.ids import PersonId, new_id
from crm.journal.audit import performed
from crm.people.authority import owner_of
from crm.people.standing import require_active
from crm.pipeline.activities.acts import note_activity
from crm.support.appointments import models, store
from crm.support.appointments.candidates import candidates_of, slot_to_move_to, taken
from crm.support.appointments.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentEnded,
    AppointmentMoved,
)
from crm.support.appointments.models import (
    Appointment,
    AppointmentId,
    AppointmentPolicy,
    BookAppointment,
    Ending,
)
from crm.support.appointments.slots import Slot

DEFAULT_POLICY = AppointmentPolicy()


async def book_appointment(
    uow: UnitOfWork,
    command: BookAppointment,
    *,
    actor: Actor,
    policy: AppointmentPolicy = DEFAULT_POLICY,
) -> Appointment:
    """Book a time with an advisor; the same effect key returns the same appointment.

    Students book offered times; staff may book any that is to come and not taken.

    Raises:
        Conflict("appointment.taken"): nobody is free then, or the person is not.
        RuleBroken("appointment.*" | "person.inactive"); NotFound("person.unknown").
        Denied("identity.level" | "appointment.person").
    """
    _check_whose(actor, command.person_id)
    topic = models.check_topic(command.topic)
    if before := await _booked_before(uow, command):
        return before
    now = uow.clock.now()
    models.check_time(command.starts_at, now, policy, by_staff=actor.is_staff)
    await require_active(uow, command.person_id)
    if not actor.is_staff:
        await _check_many(uow, command.person_id, policy)
    for slot in await candidates_of(uow, command, actor):
        appointment = _new(command, slot, topic, now)
        if await store.insert_appointment(uow.conn, appointment, command.effect_key):
            break
    else:
        raise taken()
    uow.publish(
        AppointmentBooked(
            appointment_id=appointment.id,
            person_id=appointment.person_id,
            staff_id=appointment.staff_id,
            starts_at=appointment.starts_at,
        )
    )
    await _record(uow, appointment, actor, "book", payload=facts_of(appointment))
    return appointment


async def move_appointment(
    uow: UnitOfWork,
    appointment_id: AppointmentId,
    starts_at: datetime,
    *,
    expected_version: int | None = None,
    actor: Actor,
    policy: AppointmentPolicy = DEFAULT_POLICY,
) -> Appointment:
    """Move an appointment to another time, with the same advisor where they are free.

    Raises:
        Conflict("appointment.taken" | "appointment.stale"); NotFound("appointment.unknown").
        RuleBroken("appointment.*"); Denied("identity.level").
    """
    before = await lock_appointment(uow, appointment_id, actor)
    now = uow.clock.now()
    models.check_current(before, expected_version)
    models.check_open(before, now)
    models.check_time(starts_at, now, policy, by_staff=actor.is_staff)
    if before.starts_at == starts_at:
        return before
    slot = await slot_to_move_to(uow, before, starts_at, actor)
    after = await store.update_appointment(
        uow.conn,
        appointment_id,
        {
            "staff_id": slot.staff_id,
            "starts_at": slot.starts_at,
            "ends_at": slot.ends_at,
            "updated_at": now,
        },
    )
    uow.publish(
        AppointmentMoved(
            appointment_id=after.id,
            person_id=after.person_id,
            staff_id=after.staff_id,
            starts_at=after.starts_at,
        )
    )
    told = {"from": before.starts_at, "to": after.starts_at, "staff_id": after.staff_id}
    await _record(uow, after, actor, "move", payload=told)
    return after


async def cancel_appointment(
    uow: UnitOfWork,
    appointment_id: AppointmentId,
    *,
    reason: str | None = None,
    actor: Actor,
) -> Appointment:
    """Cancel an appointment that has not begun; cancelling twice changes nothing.

    Raises:
        NotFound("appointment.unknown"); Denied("identity.level").
        RuleBroken("appointment.closed" | "appointment.begun").
    """
    before = await lock_appointment(uow, appointment_id, actor)
    if before.status == "cancelled":
        return before
    now = uow.clock.now()
    models.check_open(before, now)
    after = await store.update_appointment(
        uow.conn,
        appointment_id,
        {"status": "cancelled", "cancel_reason": reason, "closed_at": now, "updated_at": now},
    )
    uow.publish(
        AppointmentCancelled(
            appointment_id=after.id, person_id=after.person_id, staff_id=after.staff_id
        )
    )
    await _record(uow, after, actor, "cancel", payload={"reason": reason})
    return after


async def end_appointment(
    uow: UnitOfWork,
    appointment_id: AppointmentId,
    to: Ending,
    *,
    expected_version: int | None = None,
    actor: Actor,
) -> Appointment:
    """Say whether they met; saying it twice changes nothing.

    Raises:
        Conflict("appointment.stale"); NotFound("appointment.unknown"); Denied("auth.staff").
        RuleBroken("appointment.transition" | "appointment.early").
    """
    if not actor.is_staff:
        raise Denied("auth.staff", "Only staff may do this.")
    before = await lock_appointment(uow, appointment_id, actor)
    if before.status == to:
        return before
    now = uow.clock.now()
    models.check_current(before, expected_version)
    models.check_ending(before, to, now)
    after = await store.update_appointment(
        uow.conn, appointment_id, {"status": to, "closed_at": now, "updated_at": now}
    )
    uow.publish(
        AppointmentEnded(
            appointment_id=after.id,
            person_id=after.person_id,
            staff_id=after.staff_id,
            status=to,
        )
    )
    await _record(uow, after, actor, "end", payload={"to": to})
    return after


async def lock_appointment(
    uow: UnitOfWork, appointment_id: AppointmentId, actor: Actor
) -> Appointment:
    """Return an appointment that nobody else can change meanwhile.

    Raises: NotFound("appointment.unknown"): none, or somebody else's; Denied("identity.level").
    """
    found = await store.select_appointment(
        uow.conn, appointment_id, owner=owner_of(actor), lock=True
    )
    if found is None:
        raise NotFound("appointment.unknown", "There is no such appointment.")
    return found


def _check_whose(actor: Actor, person_id: PersonId) -> None:
    owner = owner_of(actor)
    if owner not in (None, person_id):
        raise Denied("appointment.person", "A student books for themselves.")


async def _booked_before(uow: UnitOfWork, command: BookAppointment) -> Appointment | None:
    if command.effect_key is None:
        return None
    return await store.select_appointment(
        uow.conn, effect_key=command.effect_key, owner=command.person_id
    )


async def _check_many(uow: UnitOfWork, person_id: PersonId, policy: AppointmentPolicy) -> None:
    if await store.count_ahead(uow.conn, person_id, now=uow.clock.now()) >= policy.most_open:
        raise RuleBroken("appointment.many", "There are enough appointments ahead already.")


def _new(command: BookAppointment, slot: Slot, topic: str, now: datetime) -> Appointment:
    return Appointment(
        id=AppointmentId(new_id()),
        person_id=command.person_id,
        staff_id=slot.staff_id,
        topic=topic,
        mode=command.mode,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        status="booked",
        cancel_reason=None,
        version=1,
        created_at=now,
        updated_at=now,
        closed_at=None,
    )


async def _record(
    uow: UnitOfWork,
    appointment: Appointment,
    actor: Actor,
    act: str,
    *,
    payload: dict[str, object],
) -> None:
    await note_activity(
        uow,
        person_id=appointment.person_id,
        kind="meeting",
        about={
            "appointment_id": str(appointment.id),
            "status": appointment.status,
            "starts_at": appointment.starts_at.isoformat(),
        },
        occurred_at=uow.clock.now(),
        actor=actor,
        # Only a meeting that took place is a contact.
        direction="out" if appointment.status == "held" else None,
        source_key=f"appointment:{appointment.id}:{appointment.version}",
    )
    uow.audit(
        performed(
            actor,
            f"appointment.{act}",
            about=appointment.person_id,
            payload={"appointment_id": appointment.id, **payload},
        )
    )
