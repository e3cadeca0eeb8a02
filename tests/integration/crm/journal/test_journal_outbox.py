"""Events reach each handler once when nothing fails, and again when something does."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from crm.actor import SERVICE_ACTOR, Actor, Role
from crm.clock import FixedClock
from crm.errors import Denied, NotFound
from crm.identity.events import StaffLoggedIn
from crm.ids import StaffId, SubjectId, new_id
from crm.journal.deliveries.models import CLAIM, MAX_ATTEMPTS, Delivery
from crm.journal.deliveries.service import DeliveryService

Archive = Any
HANDLERS = {"StaffLoggedIn": ("greet", "count")}
BOTH = ("greet", "count")
OPEN = "SELECT count(*) FROM deliveries WHERE done_at IS NULL AND dead_at IS NULL"
PENDING = "SELECT count(*) FROM outbox WHERE delivered_at IS NULL"


@pytest.fixture
async def deliveries(archive: Archive) -> DeliveryService:
    await archive.execute("DELETE FROM deliveries")
    await archive.execute("DELETE FROM outbox")
    return DeliveryService(archive.database)


async def _publish(archive: Archive, count: int) -> set[str]:
    ids = [StaffId(new_id()) for _ in range(count)]
    async with archive.database.transaction() as uow:
        for staff_id in ids:
            uow.publish(StaffLoggedIn(staff_id=staff_id))
    return {str(i) for i in ids}


def _who(delivery: Delivery) -> str:
    return str(delivery.event.payload["staff_id"])


async def test_each_handler_gets_each_event_once_with_two_relays_at_once(
    archive: Archive, deliveries: DeliveryService
) -> None:
    published = await _publish(archive, 120)
    got: Counter[tuple[str, str]] = Counter()
    by: Counter[str] = Counter()
    both = asyncio.Barrier(2)

    async def relay(name: str) -> None:
        while await deliveries.distribute(HANDLERS, limit=20):
            pass

        async def deliver(delivery: Delivery) -> None:
            if not by[name]:
                by[name] += 1
                # Each holds its first batch before either goes on.
                await both.wait()
            got[delivery.handler, _who(delivery)] += 1

        while await deliveries.run_due(deliver, BOTH):
            pass

    await asyncio.gather(relay("a"), relay("b"))

    assert set(got) == {(handler, who) for handler in BOTH for who in published}
    assert set(got.values()) == {1}
    assert await archive.count(OPEN) == await archive.count(PENDING) == 0


async def test_event_of_a_rolled_back_transaction_never_leaves(
    archive: Archive, deliveries: DeliveryService
) -> None:
    async def fails() -> None:
        async with archive.database.transaction() as uow:
            uow.publish(StaffLoggedIn(staff_id=StaffId(new_id())))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()

    assert await deliveries.distribute(HANDLERS) == 0


async def test_event_that_nobody_wants_is_done_with(
    archive: Archive, deliveries: DeliveryService
) -> None:
    await _publish(archive, 3)
    assert await deliveries.distribute({}) == 3
    assert await deliveries.distribute({}) == 0
    assert await archive.count(OPEN) == 0


async def test_failed_delivery_holds_back_no_other_and_is_tried_later(
    archive: Archive, deliveries: DeliveryService, clock: FixedClock
) -> None:
    published = await _publish(archive, 3)
    bad, delivered = min(published), Counter[str]()

    async def deliver(delivery: Delivery) -> None:
        if _who(delivery) == bad and delivery.handler == "greet" and delivery.attempts == 1:
            raise ConnectionError("down")
        delivered[_who(delivery)] += 1

    await deliveries.distribute(HANDLERS)
    assert await deliveries.run_due(deliver, BOTH) == 6
    assert delivered == {who: 1 if who == bad else 2 for who in published}
    assert await deliveries.run_due(deliver, BOTH) == 0

    clock.advance(timedelta(seconds=2))
    assert await deliveries.run_due(deliver, BOTH) == 1
    assert set(delivered.values()) == {2}


async def test_dead_letter_keeps_its_reason_and_is_replayed(
    archive: Archive, deliveries: DeliveryService, clock: FixedClock
) -> None:
    await _publish(archive, 1)
    attempts: list[int] = []

    async def deliver(delivery: Delivery) -> None:
        attempts.append(delivery.attempts)
        if len(attempts) <= MAX_ATTEMPTS:
            raise ConnectionError("down for good\x00")

    await deliveries.distribute(HANDLERS)
    for _ in range(MAX_ATTEMPTS + 2):
        await deliveries.run_due(deliver, ["greet"])
        clock.advance(timedelta(hours=1))
    assert attempts == list(range(1, MAX_ATTEMPTS + 1))

    page = await deliveries.list_dead(cursor=None, limit=10, actor=SERVICE_ACTOR)
    (letter,) = page.items
    assert (letter.handler, letter.name, letter.attempts) == ("greet", "StaffLoggedIn", 10)
    assert letter.reason == "ConnectionError: down for good"

    assert await deliveries.replay(event_id=letter.event_id, actor=SERVICE_ACTOR) == 1
    assert await deliveries.run_due(deliver, ["greet"]) == 1
    page = await deliveries.list_dead(cursor=None, limit=10, actor=SERVICE_ACTOR)
    assert page.items == ()
    with pytest.raises(NotFound):
        await deliveries.replay(event_id=letter.event_id, actor=SERVICE_ACTOR)


async def test_process_that_dies_leaves_its_deliveries_to_the_next(
    archive: Archive, deliveries: DeliveryService, clock: FixedClock
) -> None:
    published = await _publish(archive, 3)
    started, delivered = asyncio.Event(), Counter[str]()

    async def hang(delivery: Delivery) -> None:
        started.set()
        await asyncio.Event().wait()

    async def deliver(delivery: Delivery) -> None:
        delivered[_who(delivery)] += 1

    await deliveries.distribute(HANDLERS)
    dying = asyncio.create_task(deliveries.run_due(hang, ["greet"]))
    await started.wait()
    assert await deliveries.run_due(deliver, ["greet"]) == 0
    dying.cancel()
    await asyncio.wait([dying])

    clock.advance(CLAIM)
    assert await deliveries.run_due(deliver, ["greet"]) == 3
    assert delivered == dict.fromkeys(published, 1)


async def test_overdue_deliveries_only_are_taken_by_who_fills_in(
    archive: Archive, deliveries: DeliveryService, clock: FixedClock
) -> None:
    await _publish(archive, 1)
    await deliveries.distribute(HANDLERS)

    async def deliver(delivery: Delivery) -> None:
        pass

    late = timedelta(seconds=10)
    assert await deliveries.run_due(deliver, BOTH, overdue=late) == 0
    clock.advance(late)
    assert await deliveries.run_due(deliver, BOTH, overdue=late) == 2


async def test_only_what_every_handler_had_long_ago_is_forgotten(
    archive: Archive, deliveries: DeliveryService, clock: FixedClock
) -> None:
    await _publish(archive, 2)
    await deliveries.distribute(HANDLERS)

    async def deliver(delivery: Delivery) -> None:
        pass

    await deliveries.run_due(deliver, ["greet"])
    clock.advance(timedelta(days=40))
    assert await deliveries.forget(older_than=timedelta(days=30)) == 0
    await deliveries.run_due(deliver, ["count"], limit=1)
    assert await deliveries.forget(older_than=timedelta(days=30)) == 1
    assert await archive.count("SELECT count(*) FROM outbox") == 1


async def test_advisors_see_and_replay_no_dead_letters(deliveries: DeliveryService) -> None:
    advisor = Actor(SubjectId(new_id()), role=Role.ADVISOR)
    with pytest.raises(Denied):
        await deliveries.list_dead(cursor=None, limit=1, actor=advisor)
    with pytest.raises(Denied):
        await deliveries.replay(actor=advisor)
