"""Events leave the outbox once each when nothing fails, and again when something does."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from crm.clock import FixedClock
from crm.identity.events import StaffLoggedIn
from crm.ids import StaffId, new_id
from crm.journal.events import OutboxRow
from crm.journal.service import MAX_ATTEMPTS

Archive = Any
PENDING = "SELECT count(*) FROM outbox WHERE delivered_at IS NULL AND dead_at IS NULL"


async def _publish(archive: Archive, count: int) -> set[str]:
    ids = [StaffId(new_id()) for _ in range(count)]
    async with archive.database.transaction() as uow:
        for staff_id in ids:
            uow.publish(StaffLoggedIn(staff_id=staff_id))
    return {str(i) for i in ids}


async def test_two_relays_at_once_deliver_each_event_once(archive: Archive) -> None:
    published = await _publish(archive, 200)
    got: dict[str, list[str]] = {"a": [], "b": []}
    both = asyncio.Barrier(2)

    async def relay(name: str) -> None:
        async def deliver(row: OutboxRow) -> None:
            if not got[name]:
                # Each holds its first batch before either goes on.
                await both.wait()
            got[name].append(str(row.payload["staff_id"]))

        while await archive.journal.relay_outbox(deliver, limit=20):
            pass

    await asyncio.gather(relay("a"), relay("b"))

    counts = Counter(got["a"] + got["b"])
    assert set(counts) == published
    assert set(counts.values()) == {1}
    assert got["a"]
    assert got["b"]
    assert await archive.count(PENDING) == 0


async def test_event_of_a_rolled_back_transaction_never_leaves(archive: Archive) -> None:
    delivered: list[OutboxRow] = []

    async def deliver(row: OutboxRow) -> None:
        delivered.append(row)

    async def fails() -> None:
        async with archive.database.transaction() as uow:
            uow.publish(StaffLoggedIn(staff_id=StaffId(new_id())))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()

    assert await archive.journal.relay_outbox(deliver) == 0
    assert delivered == []


async def test_failed_delivery_does_not_hold_back_the_others_and_is_tried_later(
    archive: Archive, clock: FixedClock
) -> None:
    published = await _publish(archive, 3)
    bad, delivered = min(published), []

    async def deliver(row: OutboxRow) -> None:
        if row.payload["staff_id"] == bad and row.attempts == 0:
            raise ConnectionError("down")
        delivered.append(row.payload["staff_id"])

    await archive.journal.relay_outbox(deliver)
    assert set(delivered) == published - {bad}
    assert await archive.journal.relay_outbox(deliver) == 0

    clock.advance(timedelta(seconds=2))
    assert await archive.journal.relay_outbox(deliver) == 1
    assert set(delivered) == published


async def test_event_that_always_fails_is_set_aside_and_its_error_kept(
    archive: Archive, clock: FixedClock
) -> None:
    await _publish(archive, 1)
    attempts: list[int] = []

    async def deliver(row: OutboxRow) -> None:
        attempts.append(row.attempts)
        raise ConnectionError("down for good")

    for _ in range(MAX_ATTEMPTS + 2):
        await archive.journal.relay_outbox(deliver)
        clock.advance(timedelta(hours=1))

    assert attempts == list(range(MAX_ATTEMPTS))
    sql = "SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL AND last_error LIKE %s"
    assert await archive.count(sql, "%down for good%") == 1


async def test_relay_that_dies_leaves_its_events_to_the_next(archive: Archive) -> None:
    published = await _publish(archive, 3)
    started, delivered = asyncio.Event(), []

    async def hang(row: OutboxRow) -> None:
        started.set()
        await asyncio.Event().wait()

    async def deliver(row: OutboxRow) -> None:
        delivered.append(row.payload["staff_id"])

    dying = asyncio.create_task(archive.journal.relay_outbox(hang))
    await started.wait()
    assert await archive.journal.relay_outbox(deliver) == 0
    dying.cancel()
    await asyncio.wait([dying])

    assert await archive.journal.relay_outbox(deliver) == 3
    assert set(delivered) == published
