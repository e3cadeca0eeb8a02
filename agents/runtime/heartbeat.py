"""Keeps a lease alive while its holder works."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents.runtime.ports import Held, LeaseLost


@asynccontextmanager
async def heartbeat(held: Held) -> AsyncIterator[None]:
    """Renew the lease while the block runs; cancel the block when it is lost."""
    owner = asyncio.current_task()
    lost = False

    async def beat() -> None:
        nonlocal lost
        while True:
            await asyncio.sleep(held.lease_life_s / 3)
            if not await held.renew():
                lost = True
                if owner is not None:
                    owner.cancel()
                return

    task = asyncio.create_task(beat())
    try:
        yield
    except asyncio.CancelledError:
        if lost:
            if owner is not None:
                owner.uncancel()
            raise LeaseLost from None
        raise
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
