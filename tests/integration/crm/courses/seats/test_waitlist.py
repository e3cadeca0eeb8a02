"""Who waits gets the seats that become free, in their order, one offer a seat."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crm.actor import SERVICE_ACTOR
from crm.errors import RuleBroken
from crm.ids import new_id

if TYPE_CHECKING:
    from conftest import Hall

    from crm.clock import FixedClock
    from crm.courses.models import Cohort
    from crm.courses.seats.models import WaitlistEntry


async def _queue(hall: Hall, cohort: Cohort, *priorities: int) -> list[WaitlistEntry]:
    people = [await hall.new_person() for _ in priorities]
    return [
        await hall.join(person, cohort, priority=priority)
        for person, priority in zip(people, priorities, strict=True)
    ]


async def _states(hall: Hall, entries: list[WaitlistEntry]) -> list[str]:
    return [(await hall.entry(entry)).status for entry in entries]


async def test_freed_seats_go_by_priority_then_time(hall: Hall) -> None:
    cohort = await hall.new_cohort(2)
    holds = [await hall.hold(await hall.new_person(), cohort) for _ in range(2)]
    entries = await _queue(hall, cohort, 0, 0, 5)

    page = await hall.seats.list_waitlist(cohort.id, limit=2, actor=SERVICE_ACTOR)
    rest = await hall.seats.list_waitlist(
        cohort.id, cursor=page.next_cursor, limit=2, actor=SERVICE_ACTOR
    )
    order = [entries[2].id, entries[0].id, entries[1].id]
    assert [e.id for e in (*page.items, *rest.items)] == order

    await hall.release(holds[0].id)
    assert await _states(hall, entries) == ["waiting", "waiting", "offered"]
    await hall.release(holds[1].id)
    assert await _states(hall, entries) == ["offered", "waiting", "offered"]


async def test_every_way_of_freeing_a_seat_makes_one_offer(hall: Hall, clock: FixedClock) -> None:
    cohort, elsewhere = await hall.new_cohort(4), await hall.new_cohort(4)
    expiring = await hall.hold(await hall.new_person(), cohort, minutes=5)
    released = await hall.hold(await hall.new_person(), cohort, minutes=60)
    gone = await hall.enrol(await hall.new_person(), cohort)
    moved = await hall.enrol(await hall.new_person(), cohort)
    entries = await _queue(hall, cohort, *[0] * 6)
    seats = 4

    for number in range(1, 6):
        if number == 1:
            clock.advance(expiring.expires_at - clock.now())
            await hall.expire()
        elif number == 2:
            await hall.release(released.id)
        elif number == 3:
            await hall.withdraw(gone.id)
        elif number == 4:
            await hall.transfer(moved.id, elsewhere)
        else:
            await hall.resize(cohort, seats + 1)
        assert await _states(hall, entries) == ["offered"] * number + ["waiting"] * (6 - number)
        assert await hall.left(cohort) == 0


async def test_newcomers_do_not_overtake(hall: Hall) -> None:
    cohort = await hall.new_cohort(1)
    hold = await hall.hold(await hall.new_person(), cohort)
    (entry,) = await _queue(hall, cohort, 0)

    await hall.release(hold.id)

    with pytest.raises(RuleBroken, match=r"cohort\.waitlist"):
        await hall.hold(await hall.new_person(), cohort)
    assert await _states(hall, [entry]) == ["offered"]


async def test_offer_that_nobody_took_goes_to_the_next(hall: Hall, clock: FixedClock) -> None:
    cohort = await hall.new_cohort(1)
    hold = await hall.hold(await hall.new_person(), cohort)
    entries = await _queue(hall, cohort, 0, 0, 0)
    await hall.release(hold.id)
    first = await hall.entry(entries[0])
    assert first.hold_id is not None

    clock.advance(timedelta(hours=48))
    await hall.expire()
    assert await _states(hall, entries) == ["expired", "offered", "waiting"]
    assert await hall.events("OfferExpired", cohort) == 1

    assert await hall.leave(entries[1].id)
    assert await _states(hall, entries) == ["expired", "declined", "offered"]
    assert not await hall.leave(entries[1].id)
    with pytest.raises(RuleBroken, match=r"hold\.lost"):
        await hall.confirm(first.hold_id)


async def test_accepting_an_offer_enrols_who_waited(hall: Hall) -> None:
    cohort = await hall.new_cohort(1)
    hold = await hall.hold(await hall.new_person(), cohort)
    (entry,) = await _queue(hall, cohort, 0)
    await hall.release(hold.id)

    offer = await hall.hold(entry.person_id, cohort, str(new_id()))

    assert offer.kind == "offer"
    assert offer.expires_at - offer.created_at == timedelta(hours=48)
    enrolment = await hall.confirm(offer.id)
    assert (enrolment.person_id, enrolment.status) == (entry.person_id, "confirmed")
    assert await _states(hall, [entry]) == ["enrolled"]


async def test_joining_twice_is_one_entry_and_one_may_come_back(hall: Hall) -> None:
    cohort, person = await hall.new_cohort(1), await hall.new_person()
    await hall.enrol(await hall.new_person(), cohort)

    entry = await hall.join(person, cohort)
    assert await hall.join(person, cohort, priority=9) == entry
    assert await hall.leave(entry.id)
    assert (await hall.join(person, cohort)).id != entry.id


async def test_joining_where_a_seat_is_free_is_an_offer_at_once(hall: Hall) -> None:
    cohort, person = await hall.new_cohort(1), await hall.new_person()
    entry = await hall.join(person, cohort)
    assert (entry.status, await hall.left(cohort)) == ("offered", 0)
    assert entry.hold_id is not None


async def test_no_offer_outlives_the_last_day_for_enrolling(hall: Hall, clock: FixedClock) -> None:
    today = hall.catalogue.service.today()
    cohort = await hall.new_cohort(
        1, starts_on=today + timedelta(days=9), enrolment_closes=today + timedelta(days=1)
    )
    hold = await hall.hold(await hall.new_person(), cohort)
    entries = await _queue(hall, cohort, 0, 0)

    await hall.release(hold.id)
    offered = await hall.entry(entries[0])
    assert offered.hold_id is not None
    offer = await hall.seats.get_hold(offered.hold_id, actor=SERVICE_ACTOR)
    assert offer.expires_at.isoformat() == f"{today + timedelta(days=2)}T05:00:00+00:00"

    clock.advance(timedelta(days=3))
    await hall.expire()
    assert await _states(hall, entries) == ["expired", "waiting"]
    clock.advance(-timedelta(days=3))


async def test_closed_cohort_offers_nothing_until_it_opens_again(hall: Hall) -> None:
    cohort = await hall.new_cohort(1)
    hold = await hall.hold(await hall.new_person(), cohort)
    (entry,) = await _queue(hall, cohort, 0)
    await hall.change(cohort, status="closed")

    await hall.release(hold.id)
    assert await _states(hall, [entry]) == ["waiting"]
    await hall.change(cohort, status="open")
    assert await _states(hall, [entry]) == ["offered"]
