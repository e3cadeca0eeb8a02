"""A held seat is taken until it is given back, lapses, or becomes an enrolment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel, Role
from crm.errors import Conflict, Denied, NotFound, RuleBroken
from crm.ids import SubjectId, new_id

if TYPE_CHECKING:
    from conftest import Hall

    from crm.clock import FixedClock

ADVISOR = replace(SERVICE_ACTOR, role=Role.ADVISOR)


async def test_full_course_refuses_hold(hall: Hall) -> None:
    cohort = await hall.new_cohort(2, blocked_seats=1)
    await hall.hold(await hall.new_person(), cohort)

    assert await hall.left(cohort) == 0
    with pytest.raises(RuleBroken, match=r"cohort\.full"):
        await hall.hold(await hall.new_person(), cohort)


async def test_released_hold_frees_its_seat_once(hall: Hall) -> None:
    cohort = await hall.new_cohort(1)
    hold = await hall.hold(await hall.new_person(), cohort)

    assert await hall.release(hold.id)
    assert not await hall.release(hold.id)
    assert await hall.left(cohort) == 1
    await hall.hold(await hall.new_person(), cohort)
    assert await hall.left(cohort) == 0


async def test_expired_hold_returns_its_seat_at_once_and_only_once(
    hall: Hall, clock: FixedClock
) -> None:
    cohort = await hall.new_cohort(1)
    await hall.hold(await hall.new_person(), cohort)
    clock.advance(timedelta(minutes=30))

    assert await hall.left(cohort) == 1
    await hall.hold(await hall.new_person(), cohort)
    await hall.expire()
    assert await hall.left(cohort) == 0
    assert await hall.events("HoldExpired", cohort) == 1


async def test_beat_lets_overdue_holds_lapse_once(hall: Hall, clock: FixedClock) -> None:
    for _ in range(3):
        cohort = await hall.new_cohort(2)
        for _ in range(2):
            await hall.hold(await hall.new_person(), cohort)
    clock.advance(timedelta(hours=1))

    overdue = await hall.count(
        "SELECT count(*) FROM seat_holds WHERE status = 'live' AND expires_at <= %s", clock.now()
    )
    assert await hall.expire() == overdue >= 6
    assert await hall.expire() == 0


async def test_same_effect_gets_the_same_hold_whatever_became_of_it(hall: Hall) -> None:
    person, cohort, key = await hall.new_person(), await hall.new_cohort(3), str(new_id())
    hold = await hall.hold(person, cohort, key)

    assert await hall.hold(person, cohort, key) == hold
    await hall.release(hold.id)
    assert (await hall.hold(person, cohort, key)).status == "released"
    with pytest.raises(Conflict, match=r"hold\.effect"):
        await hall.hold(await hall.new_person(), cohort, key)


async def test_enrolling_takes_over_the_hold_that_was_placed_before(hall: Hall) -> None:
    person, cohort = await hall.new_person(), await hall.new_cohort(1)
    placed = await hall.hold(person, cohort, minutes=10)
    assert await hall.hold(person, cohort, minutes=999) == placed

    taken = await hall.hold(person, cohort, str(new_id()), minutes=60)

    assert taken.id == placed.id
    assert taken.expires_at == placed.created_at + timedelta(hours=1)
    assert await hall.left(cohort) == 0


async def test_two_effects_do_not_enrol_one_person_twice(hall: Hall) -> None:
    person = await hall.new_person()
    cohort, other = await hall.new_cohort(3), await hall.new_cohort(3)
    await hall.hold(person, cohort, str(new_id()))

    for where in (cohort, other):
        with pytest.raises(RuleBroken, match=r"enrolment\.exists"):
            await hall.hold(person, where, str(new_id()))
    assert await hall.left(other) == 3


async def test_closed_cancelled_and_late_cohorts_refuse(hall: Hall, clock: FixedClock) -> None:
    person = await hall.new_person()
    for status in ("closed", "cancelled"):
        cohort = await hall.new_cohort(3, status=status)
        with pytest.raises(RuleBroken, match=r"cohort\.closed"):
            await hall.hold(person, cohort)
    cohort = await hall.new_cohort(3)
    late = cohort.enrolment_closes + timedelta(days=1)
    # The day ends at the institution, five hours after it does in UTC.
    hours_left = (late - clock.now().date()).days * 24 + 5 - clock.now().hour
    clock.advance(timedelta(hours=hours_left - 1))
    await hall.hold(person, cohort)
    clock.advance(timedelta(hours=1))
    with pytest.raises(RuleBroken, match=r"cohort\.closed"):
        await hall.hold(await hall.new_person(), cohort)
    clock.advance(-timedelta(hours=hours_left))


async def test_seats_cannot_go_below_what_is_held(hall: Hall) -> None:
    cohort = await hall.new_cohort(3)
    await hall.enrol(await hall.new_person(), cohort)
    await hall.hold(await hall.new_person(), cohort)

    with pytest.raises(RuleBroken, match=r"cohort\.seats"):
        await hall.resize(cohort, 1)
    assert (await hall.resize(cohort, 2)).seats_left == 0


async def test_prerequisites_hold_unless_an_advisor_gives_a_reason(hall: Hall) -> None:
    await hall.catalogue.service.set_prerequisites("DAT-201", ("PRG-101",), actor=SERVICE_ACTOR)
    cohort = await hall.new_cohort(5, course_code="DAT-201")
    person = await hall.new_person()

    with pytest.raises(RuleBroken, match=r"enrolment\.prerequisites"):
        await hall.hold(person, cohort)
    with pytest.raises(RuleBroken, match=r"enrolment\.prerequisites"):
        await hall.join(person, cohort)
    for actor in (hall.student(person), SERVICE_ACTOR):
        with pytest.raises(Denied, match=r"enrolment\.waiver"):
            await hall.hold(person, cohort, waiver="knows Python", actor=actor)
    with pytest.raises(RuleBroken, match=r"enrolment\.waiver"):
        await hall.hold(person, cohort, waiver="  ", actor=ADVISOR)
    waived = await hall.hold(person, cohort, waiver="knows Python", actor=ADVISOR)
    assert (await hall.confirm(waived.id)).status == "confirmed"
    await hall.enrol(await hall.new_person("PRG-101"), cohort)


async def test_prerequisite_set_meanwhile_stops_the_confirmation(hall: Hall) -> None:
    cohort = await hall.new_cohort(5, course_code="DAT-110")
    hold = await hall.hold(await hall.new_person(), cohort)
    service = hall.catalogue.service
    await service.set_prerequisites("DAT-110", ("PRG-101",), actor=SERVICE_ACTOR)

    with pytest.raises(RuleBroken, match=r"enrolment\.prerequisites"):
        await hall.confirm(hold.id)
    await service.set_prerequisites("DAT-110", (), actor=SERVICE_ACTOR)


async def test_students_touch_only_their_own_seats(hall: Hall) -> None:
    ana, eva, cohort = await hall.new_person(), await hall.new_person(), await hall.new_cohort(5)
    hold = await hall.hold(ana, cohort, actor=hall.student(ana))
    entry = await hall.join(ana, await hall.new_cohort(1))
    thief = hall.student(eva)

    for stolen in (
        hall.hold(ana, cohort, actor=thief),
        hall.release(hold.id, actor=thief),
        hall.confirm(hold.id, actor=thief),
        hall.join(ana, cohort, actor=thief),
        hall.leave(entry.id, actor=thief),
    ):
        with pytest.raises(NotFound):
            await stolen
    enrolment = await hall.confirm(hold.id, actor=hall.student(ana))
    for stolen_enrolment in (
        hall.withdraw(enrolment.id, actor=thief),
        hall.transfer(enrolment.id, cohort, actor=thief),
        hall.enrolments.get_enrolment(enrolment.id, actor=thief),
    ):
        with pytest.raises(NotFound):
            await stolen_enrolment
    assert (await hall.enrolments.list_enrolments(actor=thief)).items == ()
    mine = await hall.enrolments.list_enrolments(actor=hall.student(ana))
    assert [e.id for e in mine.items] == [enrolment.id]


async def test_unproven_identity_gets_no_seat(hall: Hall) -> None:
    person, cohort = await hall.new_person(), await hall.new_cohort(5)
    unproven = Actor(SubjectId(person), IdentityLevel.CHANNEL, person_id=person)

    with pytest.raises(Denied, match=r"identity\.level"):
        await hall.hold(person, cohort, actor=unproven)
    with pytest.raises(Denied):
        await hall.seats.list_holds(cohort.id, actor=hall.student(person))
    with pytest.raises(Denied, match=r"waitlist\.priority"):
        await hall.join(person, cohort, priority=1, actor=hall.student(person))


async def test_nobody_and_those_merged_or_erased_get_no_seat(hall: Hall) -> None:
    cohort, gone = await hall.new_cohort(5), await hall.new_person()
    await hall.execute("UPDATE people SET status = 'erased' WHERE id = %s", gone)

    with pytest.raises(RuleBroken, match=r"person\.inactive"):
        await hall.hold(gone, cohort)
    with pytest.raises(NotFound, match=r"person\.unknown"):
        await hall.hold(new_id(), cohort)
    with pytest.raises(NotFound, match=r"cohort\.unknown"):
        await hall.hold(gone, replace(cohort, id=new_id()))
    with pytest.raises(RuleBroken, match=r"hold\.life"):
        await hall.hold(gone, cohort, minutes=14 * 24 * 60 + 1)
