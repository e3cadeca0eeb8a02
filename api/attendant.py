"""What a process does beside answering requests: serve turns, relay events, send, expire."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from api.bootstrap import Services
from api.cancellation import end_tasks
from api.relay import relay_batch, run_overdue
from crm.errors import OrientaError

_log = logging.getLogger(__name__)

#: How often the outbox is looked at when nothing has asked for it.
_RELAY_S = 1.0
#: How often deliveries that no worker took are looked for.
_OVERDUE_S = 5.0
#: How often enrolments and payments under way are moved on, also where no worker runs.
_TRADE_S = 1.0
#: How often the checkpoints of runs that nobody will resume are looked for.
_PRUNE_S = 30.0
#: The sweep takes up nothing more while so much is under way here.
_MOST_TASKS = 200


class Attendant:
    """Serves conversations as they ask for it and sweeps up what others left.

    Every act may be repeated and run in several processes at once: leases, SKIP LOCKED and effect
    keys see to it that nothing happens twice.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._tasks: set[asyncio.Task[object]] = set()

    def serve_soon(self, conversation_id: UUID) -> None:
        """Serve a conversation in the background, here, unless another process is faster."""
        self._spawn(self._services.engine.serve(conversation_id))

    def deliver_soon(self) -> None:
        """Send outbound messages in the background."""
        self._spawn(self._services.outbound.deliver_due())

    def _spawn(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sweep and relay while the block runs; then let go of what is under way."""
        services, every = self._services, self._services.settings.turn_sweep_s
        self._spawn(services.knowledge.warm_up())
        self._spawn(_repeat(self._sweep, every_s=every))
        self._spawn(_repeat(services.engine.prune, every_s=_PRUNE_S))
        self._spawn(_repeat(services.confirmations.expire_due, every_s=every))
        self._spawn(_repeat(services.outbound.deliver_due, every_s=every))
        self._spawn(_repeat(self._relay, every_s=_RELAY_S))
        self._spawn(_repeat(self._trade, every_s=_TRADE_S))
        self._spawn(_repeat(partial(run_overdue, services), every_s=_OVERDUE_S))
        try:
            yield
        finally:
            await end_tasks(self._tasks)

    async def _sweep(self) -> None:
        """Take up what nobody serves, without waiting for it: one slow turn holds up no other."""
        for conversation_id in await self._services.engine.due():
            if len(self._tasks) < _MOST_TASKS:
                self.serve_soon(conversation_id)

    async def _trade(self) -> None:
        """Move on what is under way between students, seats and gateways."""
        services = self._services
        await services.payments.run_due()
        if services.tills.sandbox is not None:
            await services.tills.sandbox.deliveries.run_due()
        await services.seats.expire_due()
        await services.workflows.advance_due()

    async def _relay(self) -> None:
        while await relay_batch(self._services):
            pass


async def _repeat(work: Callable[[], Awaitable[object]], *, every_s: float) -> None:
    while True:
        await _logged(work())
        await asyncio.sleep(every_s)


async def _logged(work: Awaitable[object]) -> None:
    try:
        await work
    except OrientaError as failure:
        _log.warning("background work postponed: %s", failure.code)
    except Exception:  # noqa: BLE001 the worker's boundary: the next sweep tries again
        _log.exception("background work failed")
