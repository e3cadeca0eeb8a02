"""Where domain events go: to their handlers, here and in the workers."""

import asyncio
import logging
from datetime import timedelta
from functools import lru_cache, partial

from celery import Celery
from kombu.exceptions import OperationalError

from api.bootstrap import Services
from api.handlers import BY_NAME, NAMES, QUICK, SLOW, deliver
from api.worker.app import create_worker

_log = logging.getLogger(__name__)

#: Deliveries that no worker has taken by then are taken by whoever looks.
OVERDUE = timedelta(seconds=10)


async def relay_batch(services: Services) -> int:
    """Distribute the events that are due and do what is quick; return how many there were.

    API processes and workers share the outbox: whoever takes an event makes its deliveries, and
    wakes the workers for those that take longer.
    """
    count = await services.deliveries.distribute(NAMES)
    quick = await services.deliveries.run_due(partial(deliver, services), QUICK)
    if count:
        await _wake_workers(services.settings.redis_url or "")
    return count + quick


async def run_deliveries(services: Services) -> int:
    """Do what takes longer, up to a batch; return how many deliveries there were."""
    return await services.deliveries.run_due(partial(deliver, services), SLOW)


async def run_overdue(services: Services) -> int:
    """Do what no worker has taken up; return how many deliveries there were."""
    return await services.deliveries.run_due(
        partial(deliver, services), tuple(BY_NAME), overdue=OVERDUE
    )


async def _wake_workers(redis_url: str) -> None:
    """Send the task that runs deliveries; without Redis they wait for the next look."""
    try:
        await asyncio.to_thread(_sender(redis_url).send_task, "orienta.run_deliveries")
    except (OperationalError, OSError) as failure:
        _log.warning("the workers were not woken: %s", failure)


@lru_cache(maxsize=4)
def _sender(redis_url: str) -> Celery:
    return create_worker(redis_url)
