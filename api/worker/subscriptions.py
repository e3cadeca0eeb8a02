"""Which domain events wake which tasks, and how an event on its way out reaches them."""

import asyncio
from functools import lru_cache

from celery import Celery

from api.worker.app import create_worker
from crm.journal.events import OutboxRow

#: Event → task. A task takes no arguments from an event: it looks at the database, so that an
#: event delivered twice, late or out of order does no harm.
SUBSCRIPTIONS = {
    "CourseChanged": "orienta.index_courses",
    "ImportQueued": "orienta.run_imports",
}


async def wake_tasks(row: OutboxRow, *, redis_url: str) -> None:
    """Send the task that an event wakes; raises when Redis does not take it, to be tried again."""
    task = SUBSCRIPTIONS.get(row.name)
    if task is not None:
        await asyncio.to_thread(_sender(redis_url).send_task, task)


@lru_cache(maxsize=4)
def _sender(redis_url: str) -> Celery:
    return create_worker(redis_url)
