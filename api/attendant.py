"""What a process does beside answering requests: serve turns, and the jobs of the workers."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from api.bootstrap import Services
from api.cancellation import end_tasks
from api.relay import run_overdue
from api.worker.jobs import Job, Turns
from api.worker.tasks import JOBS
from crm.errors import OrientaError

_log = logging.getLogger(__name__)

#: How often deliveries that no worker took are looked for.
_OVERDUE_S = 5.0
#: How often the checkpoints of runs that nobody will resume are looked for.
_PRUNE_S = 30.0
#: The sweep takes up nothing more while so much is under way here.
_MOST_TASKS = 200


class Attendant:
    """Serves conversations, sweeps up what others left, and stands in for workers.

    Args:
        jobs: done here at their intervals: the quick ones always, the others while no worker runs.

    Every act may be repeated and run in several processes at once: leases, SKIP LOCKED and effect
    keys see to it that nothing happens twice.
    """

    def __init__(self, services: Services, jobs: Iterable[Job] = JOBS) -> None:
        self._services = services
        self._jobs = tuple(jobs)
        self._turns = Turns(services)
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
        for job in self._jobs:
            self._spawn(self._stand_in(job))
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

    async def _stand_in(self, job: Job) -> None:
        """Do a job at its intervals, unless it is for the workers and one is there."""

        async def do() -> None:
            if job.everywhere or await self._turns.is_ours(job):
                await job.work(self._services)

        if not job.everywhere:
            await asyncio.sleep(job.every_s)  # as beat does
        await _repeat(do, every_s=job.every_s)


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
