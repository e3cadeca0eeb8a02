"""What is deleted when its time is over, and when that is."""

import logging
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any, Protocol

from api.bootstrap import Services

_log = logging.getLogger(__name__)

BATCH = 1_000


class Forget(Protocol):
    """Deletes a batch of what is past its time, in one transaction; returns how many."""

    def __call__(self, *, older_than: timedelta, limit: int) -> Coroutine[Any, Any, int]:
        """Delete at most `limit`."""
        ...


def terms(services: Services) -> Mapping[str, tuple[Forget, timedelta]]:
    """What is forgotten how, and after how long."""
    days = services.settings
    return {
        "events": (services.deliveries.forget, timedelta(days.event_days)),
        "idempotency keys": (services.journal.forget_keys, timedelta(days.idempotency_days)),
        "staff sessions": (services.identity.forget_sessions, timedelta(days.session_days)),
        "chat sessions": (services.conversations.forget_sessions, timedelta(days.session_days)),
        "codes": (services.identity.forget_codes, timedelta(days.code_days)),
        "mailbox messages": (services.mailbox.forget, timedelta(days.mailbox_days)),
        "outbound messages": (services.outbound.forget_closed, timedelta(days.outbound_days)),
        "ingests": (services.library.desk.forget_jobs, timedelta(days.ingest_job_days)),
        "import files": (services.imports.forget_idle_files, timedelta(days.import_file_days)),
    }


async def forget_all(
    services: Services, *, is_over: Callable[[], bool], batch: int = BATCH
) -> Mapping[str, int]:
    """Delete in batches what is past its time; returns how many of each.

    Args:
        is_over: asked after each batch; what is left then is for the next call. Every kind has
            at least one batch a call, so that none waits behind a heap of another.
    """
    gone: dict[str, int] = {}
    for name, (forget, keep) in terms(services).items():
        gone[name] = count = await forget(older_than=keep, limit=batch)
        while count and not is_over():
            count = await forget(older_than=keep, limit=batch)
            gone[name] += count
    if any(gone.values()):
        _log.info("forgotten: %s", {name: count for name, count in gone.items() if count})
    return gone
