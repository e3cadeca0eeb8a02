"""A student meets an advisor: sees free times, books one, moves it and cancels it, by tools."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from crm.actor import Actor, IdentityLevel, Role
from crm.business_hours import read_week
from crm.ids import PersonId, StaffId, SubjectId, new_id
from crm.support.appointments import acts
from crm.support.appointments.models import AdvisorHours, BookAppointment
from tests.integration.tools.conftest import NOW
from tools.results import NeedsConfirmation, Ok, Refused

if TYPE_CHECKING:
    from tests.integration.tools.conftest import Office, Talk
    from tests.integration.tools.counter import Counter

#: The day after the test's.
WEDNESDAY = datetime(2026, 11, 25, tzinfo=ZoneInfo("America/Lima"))


async def _advisor(
    office: Office, week: str, *, modes: frozenset[Any] = frozenset({"call"})
) -> Actor:
    staff_id = StaffId(new_id())
    await office.execute(
        "INSERT INTO staff (id, email, name, role, password_hash, active, created_at) "
        "VALUES (%s, %s, 'Lucía', 'advisor', 'x', true, %s)",
        *(staff_id, f"{staff_id}@andino.example", NOW),
    )
    actor = Actor(SubjectId(staff_id), IdentityLevel.VERIFIED, staff_id=staff_id, role=Role.ADVISOR)
    hours = AdvisorHours(
        staff_id=staff_id,
        week=read_week(week),
        slot=timedelta(minutes=30),
        modes=frozenset({"call"}),
    )
    await office.services.appointments.set_hours(hours, actor=actor)
    return actor


@pytest.fixture
async def nobody_else(office: Office) -> None:
    """No hours but those that a test offers."""
    await office.execute("DELETE FROM advisor_hours")
    await office.execute(
        "UPDATE appointments SET status = 'cancelled', closed_at = now() WHERE status = 'booked'"
    )


def _at(hour: int, minute: int = 0) -> str:
    return (WEDNESDAY + timedelta(hours=hour, minutes=minute)).isoformat()


async def _book(counter: Counter, talk: Talk, at: str) -> dict[str, Any]:
    done = await counter.do(
        talk, "book_appointment", starts_at=at, mode="call", topic="Qué diplomado elegir"
    )
    booked: dict[str, Any] = done["appointment"]
    return booked


@pytest.mark.usefixtures("nobody_else")
async def test_time_is_seen_booked_moved_and_cancelled(office: Office, counter: Counter) -> None:
    await _advisor(office, "wed 09:00-11:00")
    talk = await office.student()
    found = await counter.ask(talk, "appointment_slots", part_of_day="morning")
    assert isinstance(found, Ok)
    slots: Any = found.data["slots"]
    assert slots[0]["starts_at"] == _at(9)
    assert slots[0]["starts_at_text"] == "miércoles, 25 de noviembre de 2026, 09:00"
    booked = await _book(counter, talk, slots[0]["starts_at"])
    again = await counter.ask(talk, "appointment_slots", day="2026-11-25")
    assert isinstance(again, Ok)
    later: Any = again.data["slots"]
    assert [slot["starts_at"] for slot in later] == [_at(9, 30), _at(10), _at(10, 30)]
    moved = await counter.do(
        talk, "move_appointment", appointment_id=booked["appointment_id"], starts_at=_at(10)
    )
    assert moved["appointment"]["starts_at"] == _at(10)
    mine = await counter.ask(talk, "my_appointments")
    assert isinstance(mine, Ok)
    assert [a["starts_at"] for a in mine.data["appointments"]] == [_at(10)]  # type: ignore[attr-defined]
    await counter.do(talk, "cancel_appointment", appointment_id=booked["appointment_id"])
    mine = await counter.ask(talk, "my_appointments")
    assert isinstance(mine, Ok)
    assert mine.data["appointments"] == []
    assert talk.person is not None
    assert (
        await office.count(
            "SELECT count(*) FROM activities WHERE person_id = %s AND kind = 'meeting'",
            talk.person.id,
        )
        == 3
    )


@pytest.mark.usefixtures("nobody_else")
async def test_visitor_sees_times_and_may_not_book(office: Office, counter: Counter) -> None:
    await _advisor(office, "wed 09:00-10:00")
    visitor = await office.visitor()
    assert isinstance(await counter.ask(visitor, "appointment_slots"), Ok)
    refused = await counter.ask(
        visitor, "book_appointment", starts_at=_at(9), mode="call", topic="Becas"
    )
    assert isinstance(refused, Refused)
    assert refused.code == "identity.level"


@pytest.mark.usefixtures("nobody_else")
async def test_appointment_of_another_student_is_unknown(office: Office, counter: Counter) -> None:
    await _advisor(office, "wed 09:00-11:00")
    ana, eva = await office.student(), await office.student("Eva Lima")
    booked = await _book(counter, ana, _at(9))
    for tool, more in (("move_appointment", {"starts_at": _at(10)}), ("cancel_appointment", {})):
        refused = await counter.ask(eva, tool, appointment_id=booked["appointment_id"], **more)
        assert isinstance(refused, Refused)
        assert refused.code == "appointment.unknown"
    stolen = await counter.ask(
        eva,
        "book_appointment",
        starts_at=_at(10),
        mode="call",
        topic="x y z",
        person_id=str(ana.person.id if ana.person else ""),
    )
    assert isinstance(stolen, Refused)
    assert stolen.code == "arguments.invalid"


@pytest.mark.usefixtures("nobody_else")
async def test_same_call_again_books_once(office: Office, counter: Counter) -> None:
    await _advisor(office, "wed 09:00-11:00")
    talk = await office.student()
    shown = await counter.show(
        talk, "book_appointment", starts_at=_at(9), mode="call", topic="Qué diplomado elegir"
    )
    first = await counter.agree(talk, shown)
    second = await office.runner.execute_confirmed(talk.context, shown.confirmation_id)
    assert isinstance(first, Ok)
    assert isinstance(second, Ok)
    assert second.replayed
    assert second.data == first.data
    assert await office.count("SELECT count(*) FROM appointments WHERE status = 'booked'") == 1


@pytest.mark.usefixtures("nobody_else")
async def test_arguments_changed_after_approval_are_refused(
    office: Office, counter: Counter
) -> None:
    await _advisor(office, "wed 09:00-11:00")
    talk = await office.student()
    shown = await counter.show(
        talk, "book_appointment", starts_at=_at(9), mode="call", topic="Qué diplomado elegir"
    )
    await office.accept(talk, shown.confirmation_id)
    await office.execute(
        "UPDATE confirmations SET arguments = "
        "jsonb_set(arguments, '{starts_at}', to_jsonb(%s::text)) WHERE id = %s",
        *(_at(10), shown.confirmation_id),
    )
    refused = await office.runner.execute_confirmed(talk.context, shown.confirmation_id)
    assert isinstance(refused, Refused)
    assert refused.code == "confirmation.changed"
    assert await office.count("SELECT count(*) FROM appointments WHERE status = 'booked'") == 0


@pytest.mark.usefixtures("nobody_else")
async def test_time_that_was_taken_meanwhile_is_refused(office: Office, counter: Counter) -> None:
    await _advisor(office, "wed 09:00-10:00")
    ana, eva = await office.student(), await office.student("Eva Lima")
    shown = await counter.show(
        ana, "book_appointment", starts_at=_at(9), mode="call", topic="Qué diplomado elegir"
    )
    await _book(counter, eva, _at(9))
    refused = await counter.agree(ana, shown)
    assert isinstance(refused, Refused)
    assert refused.code == "appointment.taken"


@pytest.mark.usefixtures("nobody_else")
async def test_what_the_rules_forbid_is_refused_before_anybody_is_asked(
    office: Office, counter: Counter
) -> None:
    await _advisor(office, "mon-sun 00:00-00:00")
    talk = await office.student()

    async def code(at: datetime) -> str:
        shown = await counter.ask(
            talk, "book_appointment", starts_at=at.isoformat(), mode="call", topic="Becas"
        )
        return shown.code if isinstance(shown, Refused) else shown.status

    assert await code(NOW - timedelta(hours=1)) == "appointment.past"
    assert await code(NOW + timedelta(hours=1)) == "appointment.notice"
    assert await code(NOW + timedelta(days=30)) == "appointment.horizon"
    assert await code(WEDNESDAY + timedelta(hours=9, minutes=5)) == "appointment.taken"
    for hour in (9, 10):
        await _book(counter, talk, _at(hour))
    third = await counter.show(
        talk, "book_appointment", starts_at=_at(11), mode="call", topic="Becas"
    )
    refused = await counter.agree(talk, third)
    assert isinstance(refused, Refused)
    assert refused.code == "appointment.many"


@pytest.mark.usefixtures("nobody_else")
async def test_one_time_is_booked_as_often_as_there_are_advisors(office: Office) -> None:
    first = await _advisor(office, "wed 09:00-10:00")
    second = await _advisor(office, "wed 09:00-10:00")
    people = [await office.new_person(f"Persona {n}") for n in range(8)]

    async def book(person_id: PersonId) -> object:
        command = BookAppointment(
            person_id=person_id,
            topic="Becas",
            mode="call",
            starts_at=WEDNESDAY + timedelta(hours=9),
        )
        actor = Actor(SubjectId(person_id), IdentityLevel.VERIFIED, person_id=person_id)
        async with office.database.transaction() as uow:
            return (await acts.book_appointment(uow, command, actor=actor)).staff_id

    done = await asyncio.gather(*(book(p.id) for p in people), return_exceptions=True)
    booked = [one for one in done if not isinstance(one, Exception)]
    assert sorted(map(str, booked)) == sorted([str(first.staff_id), str(second.staff_id)])
    assert {getattr(one, "code", "") for one in done if isinstance(one, Exception)} == {
        "appointment.taken"
    }


@pytest.mark.usefixtures("nobody_else")
async def test_own_advisor_comes_first(office: Office, counter: Counter) -> None:
    advisors = [await _advisor(office, "wed 09:00-12:00") for _ in range(3)]
    own = max(advisors, key=lambda actor: str(actor.staff_id))
    talk = await office.student()
    assert talk.person is not None
    await office.execute(
        "INSERT INTO leads (id, person_id, source, language, stage, staff_id, created_at, "
        "stage_since, last_activity_at) VALUES (%s, %s, 'widget', 'es', 'lead', %s, %s, %s, %s)",
        *(new_id(), talk.person.id, own.staff_id, NOW, NOW, NOW),
    )
    booked = await _book(counter, talk, _at(9))
    assert (
        await office.count(
            "SELECT count(*) FROM appointments WHERE id = %s AND staff_id = %s",
            *(booked["appointment_id"], own.staff_id),
        )
        == 1
    )


@pytest.mark.usefixtures("nobody_else")
async def test_declined_appointment_is_not_booked(office: Office, counter: Counter) -> None:
    await _advisor(office, "wed 09:00-10:00")
    talk = await office.student(locale="en")
    shown = await counter.show(
        talk, "book_appointment", starts_at=_at(9), mode="call", topic="Which diploma fits"
    )
    assert isinstance(shown, NeedsConfirmation)
    assert shown.summary == (
        "Book an appointment with an advisor, by phone: "
        "Wednesday, November 25, 2026, 09:00. Topic: Which diploma fits."
    )
    await office.decide(talk, shown.confirmation_id, "reject")
    refused = await office.runner.execute_confirmed(talk.context, shown.confirmation_id)
    assert isinstance(refused, Refused)
    assert await office.count("SELECT count(*) FROM appointments WHERE status = 'booked'") == 0


@pytest.mark.usefixtures("nobody_else")
async def test_staff_cannot_call_what_is_a_students(office: Office, counter: Counter) -> None:
    staff = await office.staff()
    talk = replace(staff, context=replace(staff.context, run_id=new_id()))
    refused = await counter.ask(
        talk, "book_appointment", starts_at=_at(9), mode="call", topic="Becas"
    )
    assert isinstance(refused, Refused)
