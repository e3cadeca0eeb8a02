"""What is done again and again, and which of the processes that are up does it."""

import logging
from dataclasses import dataclass

from redis.exceptions import RedisError

from api.bootstrap import Services
from api.worker.app import TASK_LIMIT_S
from api.worker.bridge import Work
from crm.ids import new_id

_log = logging.getLogger(__name__)

#: How long a job goes on taking batches before it makes room for others.
BUDGET_S = TASK_LIMIT_S / 5
#: A worker that has not done a job for so many periods is not there.
_PATIENCE = 3
_WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is done at intervals, and may be done anywhere, any number of times.

    Args:
        name: stays the same: tasks that wait carry it.
        everywhere: quick, and done by every API process too, so that nobody waits for a worker.
            The others are done there only while no worker does them.
    """

    name: str
    work: Work[object]
    every_s: float
    everywhere: bool = False


class Turns:
    """Knows, by Redis, who does a job at present; without Redis everybody does."""

    def __init__(self, services: Services) -> None:
        self._redis = services.redis
        self._me = str(new_id())

    async def is_ours(self, job: Job) -> bool:
        """Return whether this process stands in for the workers, and goes on doing so."""
        try:
            if await self._redis.set(_key(job), self._me, nx=True, px=_life_ms(job)):
                return True
            holder = await self._redis.get(_key(job))
            if holder not in (self._me, self._me.encode()):
                return False
            await self._redis.set(_key(job), self._me, px=_life_ms(job))
        except (RedisError, OSError) as failure:
            _log.info("nobody knows who does %s: %s", job.name, type(failure).__name__)
        return True


async def note_worker(services: Services, job: Job) -> None:
    """Note that a worker does a job; whoever stood in for it lets go."""
    try:
        await services.redis.set(_key(job), _WORKER, px=_life_ms(job))
    except (RedisError, OSError) as failure:
        _log.info("nobody will know who does %s: %s", job.name, type(failure).__name__)


def _key(job: Job) -> str:
    return f"orienta:job:{job.name}"


def _life_ms(job: Job) -> int:
    return int(1_000 * (_PATIENCE * job.every_s + BUDGET_S))
