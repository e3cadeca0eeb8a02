"""An enrolment keeps its seat until it is given back or changed for another."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crm.actor import SERVICE_ACTOR
from crm.courses.enrolments.models import EnrolmentFilters
from crm.errors import RuleBroken
from crm.ids import new_id

if TYPE_CHECKING:
    from conftest import Hall

    from crm.clock import FixedClock


async def test_confirming_twice_is_one_enrolment(hall: Hall) -> None:
    cohort = await hall.new_cohort(2)
    hold = await hall.hold(await hall.new_person(), cohort)

    enrolment = await hall.confirm(hold.id)

    assert await hall.confirm(hold.id) == enrolment
    assert await hall.events("EnrolmentConfirmed", cohort) == 1
    assert await hall.left(cohort) == 1
    await hall.withdraw(enrolment.id)
    assert (await hall.confirm(hold.id)).status == "withdrawn"


async def test_expired_hold_takes_a_free_seat_or_is_lost(hall: Hall, clock: FixedClock) -> None:
    roomy, full = await hall.new_cohort(1), await hall.new_cohort(1)
    lucky = await hall.hold(await hall.new_person(), roomy)
    late = await hall.hold(await hall.new_person(), full)
    clock.advance(timedelta(hours=1))
    await hall.hold(await hall.new_person(), full)

    assert (await hall.confirm(lucky.id)).status == "confirmed"
    assert await hall.left(roomy) == 0
    with pytest.raises(RuleBroken, match=r"hold\.lost"):
        await hall.confirm(late.id)


async def test_expired_hold_does_not_overtake_who_waits(hall: Hall, clock: FixedClock) -> None:
    cohort = await hall.new_cohort(1)
    late = await hall.hold(await hall.new_person(), cohort)
    entry = await hall.join(await hall.new_person(), cohort)
    clock.advance(timedelta(hours=1))

    with pytest.raises(RuleBroken, match=r"hold\.lost"):
        await hall.confirm(late.id)
    await hall.expire()
    assert (await hall.entry(entry)).status == "offered"


async def test_late_payer_who_was_offered_a_seat_takes_it(hall: Hall, clock: FixedClock) -> None:
    cohort, person = await hall.new_cohort(1), await hall.new_person()
    late = await hall.hold(person, cohort, str(new_id()))
    clock.advance(timedelta(hours=1))
    other = await hall.hold(await hall.new_person(), cohort)
    entry = await hall.join(person, cohort)
    await hall.release(other.id)

    enrolment = await hall.confirm(late.id)

    assert enrolment.hold_id == late.id
    assert (await hall.entry(entry)).status == "enrolled"
    assert await hall.left(cohort) == 0


async def test_cancelled_cohort_confirms_nobody_but_a_closed_one_does(hall: Hall) -> None:
    for status in ("closed", "cancelled"):
        cohort = await hall.new_cohort(3)
        hold = await hall.hold(await hall.new_person(), cohort)
        await hall.change(cohort, status=status)
        if status == "closed":
            await hall.confirm(hold.id)
        else:
            with pytest.raises(RuleBroken, match=r"cohort\.closed"):
                await hall.confirm(hold.id)


async def test_whoever_withdrew_may_enrol_again(hall: Hall) -> None:
    cohort, person = await hall.new_cohort(1), await hall.new_person()
    first = await hall.enrol(person, cohort)

    gone = await hall.withdraw(first.id)
    assert await hall.withdraw(first.id) == gone
    assert await hall.left(cohort) == 1
    second = await hall.enrol(person, cohort)
    assert second.id != first.id
    with pytest.raises(RuleBroken, match=r"enrolment\.exists"):
        await hall.hold(person, cohort)


async def test_one_course_is_taken_once_at_a_time(hall: Hall) -> None:
    person, other = await hall.new_person(), await hall.new_cohort(5)
    placed = await hall.hold(person, other)
    enrolment = await hall.enrol(person, await hall.new_cohort(5))

    with pytest.raises(RuleBroken, match=r"enrolment\.exists"):
        await hall.confirm(placed.id)
    with pytest.raises(RuleBroken, match=r"enrolment\.exists"):
        await hall.join(person, await hall.new_cohort(5))
    await hall.withdraw(enrolment.id)
    assert (await hall.confirm(placed.id)).status == "confirmed"


async def test_transfer_moves_the_seat(hall: Hall) -> None:
    origin, target = await hall.new_cohort(1), await hall.new_cohort(1)
    old = await hall.enrol(await hall.new_person(), origin)

    new = await hall.transfer(old.id, target)

    assert await hall.transfer(old.id, target) == new
    assert (new.transferred_from, new.cohort_id) == (old.id, target.id)
    assert (await hall.left(origin), await hall.left(target)) == (1, 0)
    assert await hall.events("EnrolmentTransferred", target) == 1
    again = await hall.enrolments.get_enrolment(old.id, actor=SERVICE_ACTOR)
    assert again.status == "transferred"
    with pytest.raises(RuleBroken, match=r"enrolment\.ended"):
        await hall.withdraw(old.id)
    assert (await hall.transfer(new.id, origin)).cohort_id == origin.id


async def test_transfer_needs_a_seat_of_the_same_course(hall: Hall) -> None:
    origin, full = await hall.new_cohort(5), await hall.new_cohort(1)
    await hall.enrol(await hall.new_person(), full)
    enrolment = await hall.enrol(await hall.new_person(), origin)

    for target, code in (
        (full, "cohort.full"),
        (origin, "transfer.course"),
        (await hall.new_cohort(5, course_code="DAT-110"), "transfer.course"),
        (await hall.new_cohort(5, status="closed"), "cohort.closed"),
    ):
        with pytest.raises(RuleBroken) as refused:
            await hall.transfer(enrolment.id, target)
        assert refused.value.code == code
    assert await hall.left(origin) == 4


async def test_lists_go_by_cohort_person_and_state(hall: Hall) -> None:
    cohort = await hall.new_cohort(9)
    made = [await hall.enrol(await hall.new_person(), cohort) for _ in range(5)]
    await hall.withdraw(made[0].id)
    filters = EnrolmentFilters(cohort_id=cohort.id)

    first = await hall.enrolments.list_enrolments(filters, limit=3, actor=SERVICE_ACTOR)
    rest = await hall.enrolments.list_enrolments(
        filters, cursor=first.next_cursor, limit=3, actor=SERVICE_ACTOR
    )

    found = [e.id for e in (*first.items, *rest.items)]
    assert found == [e.id for e in reversed(made)]
    assert rest.next_cursor is None
    gone = EnrolmentFilters(cohort_id=cohort.id, status="withdrawn")
    page = await hall.enrolments.list_enrolments(gone, actor=SERVICE_ACTOR)
    assert [e.id for e in page.items] == [made[0].id]
    person = EnrolmentFilters(person_id=made[1].person_id)
    page = await hall.enrolments.list_enrolments(person, actor=SERVICE_ACTOR)
    assert [e.id for e in page.items] == [made[1].id]
