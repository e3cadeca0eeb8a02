"""Idempotency keys are forgotten by their age, in batches, and can be used anew."""

from datetime import timedelta
from typing import Any

from crm.clock import FixedClock
from crm.ids import new_id
from crm.journal import idempotency
from crm.journal.idempotency import IdempotencyKey

Archive = Any
KEEP = timedelta(days=30)


async def _take(archive: Archive, key: IdempotencyKey, n: int) -> bool:
    async with archive.database.transaction() as uow:
        if await idempotency.claim(uow, key, {"n": n}):
            return False
        await idempotency.complete(uow, key, {})
    return True


async def test_old_keys_go_in_batches_and_young_ones_stay(
    archive: Archive, clock: FixedClock
) -> None:
    await archive.execute("DELETE FROM idempotency_keys")
    old = [IdempotencyKey("tool", str(new_id()), new_id()) for _ in range(3)]
    young = IdempotencyKey("tool", str(new_id()), new_id())
    for key in old:
        assert await _take(archive, key, 1)
    clock.advance(KEEP + timedelta(seconds=1))
    assert await _take(archive, young, 1)

    gone = [await archive.journal.forget_keys(older_than=KEEP, limit=2) for _ in range(3)]

    assert gone == [2, 1, 0]
    assert not await _take(archive, young, 1)
    assert await _take(archive, old[0], 2)
