"""Where a domain event goes: to open connections, and to the tasks it wakes."""

from api.announce import announce
from api.bootstrap import Services
from api.worker.subscriptions import wake_tasks
from crm.journal.events import OutboxRow


async def relay_batch(services: Services) -> int:
    """Deliver the domain events that are due, up to a batch; return how many there were.

    API processes and workers share the outbox: whoever claims an event delivers it everywhere.
    """
    return await services.journal.relay_outbox(lambda row: _deliver(services, row))


async def _deliver(services: Services, row: OutboxRow) -> None:
    await announce(services, row)
    await wake_tasks(row, redis_url=services.settings.redis_url or "")
