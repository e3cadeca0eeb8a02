"""The tasks: each looks at the database for what is due, and may run anywhere, any number of times.

What an API process does beside its requests is done here, too: with every API process down,
messages are still answered and events still delivered.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from celery import Celery
from celery.signals import worker_process_shutdown

from api.bootstrap import Services
from api.recommendation import train_recommender
from api.relay import relay_batch
from api.relay import run_deliveries as run_batch
from api.scoring import score_due_leads, score_every_night, train_scores
from api.worker.bridge import bridge, close_bridge
from api.worker.jobs import BUDGET_S, Job, note_worker
from api.worker.retention import forget_all
from crm.errors import OrientaError
from retrieval.errors import RetrievalError
from retrieval.stores.elasticsearch.generations import forget_forsaken

_log = logging.getLogger(__name__)

EMBED_BATCH = 16
EMBED_LOCK = "orienta:embedding"
#: A search server that has not been told of changes for so long is no longer in use.
FORSAKEN_S = 86_400.0


def register(worker: Celery) -> None:
    """Make a Celery application able to run the tasks."""
    for job in JOBS:
        worker.task(name=f"orienta.{job.name}")(_task(job))
    worker_process_shutdown.connect(_close)


def schedule(worker: Celery) -> None:
    """Let beat send the tasks; a run that nobody took by the next one is dropped."""
    worker.conf.beat_schedule = {
        job.name: {
            "task": f"orienta.{job.name}",
            "schedule": job.every_s,
            "options": {"expires": max(job.every_s, 1.0)},
        }
        for job in JOBS
    }


def _task(job: Job) -> Callable[[], None]:
    async def work(services: Services) -> None:
        await note_worker(services, job)
        await job.work(services)

    def task() -> None:
        try:
            bridge().run(work)
        except (OrientaError, RetrievalError) as failure:  # the next run tries again
            _log.warning("%s postponed: %s", job.name, failure)

    task.__name__ = job.name
    return task


def _close(**_: Any) -> None:
    close_bridge()


def _budget() -> Callable[[], bool]:
    """Return what tells whether the time of a run that starts now is up."""
    until = time.monotonic() + BUDGET_S
    return lambda: time.monotonic() >= until


async def _drain(take_batch: Callable[[], Awaitable[int]]) -> None:
    """Take batches until nothing is due, or the time is up."""
    is_over = _budget()
    while await take_batch() and not is_over():
        pass


async def _run_each(run_next: Callable[..., Awaitable[object]]) -> None:
    """Take up one after the other; what is left when the time is up, the next run goes on with."""
    is_over = _budget()
    while not is_over() and await run_next(is_over=is_over):
        pass


async def relay_outbox(services: Services) -> None:
    """Deliver the domain events that are due."""
    await _drain(lambda: relay_batch(services))


async def run_deliveries(services: Services) -> None:
    """Give events to the handlers that take longer."""
    await _drain(lambda: run_batch(services))


async def deliver_outbound(services: Services) -> None:
    """Send the messages that are due."""
    await services.outbound.deliver_due()


async def run_sandbox(services: Services) -> None:
    """Let the sandbox gateway report, settle and expire what is due, where it is in use."""
    if services.tills.sandbox is not None:
        await services.tills.sandbox.deliveries.run_due()


async def run_payments(services: Services) -> None:
    """Ask gateways for checkouts and refunds that are due."""
    await _drain(services.payments.run_due)


async def advance_sagas(services: Services) -> None:
    """Take the steps of enrolments and withdrawals that are due."""
    await _drain(services.workflows.advance_due)


async def poll_payments(services: Services) -> None:
    """Ask gateways about payments whose webhooks may be lost."""
    await _drain(services.payments.poll_due)


async def send_reminders(services: Services) -> None:
    """Remind people of what is due, where there is a gateway that they can pay through."""
    if services.tills.chosen == "none":
        return
    await _drain(services.dunning.send_reminders)


async def embed_pending(services: Services) -> None:
    """Give chunks without a vector theirs; one worker at a time, the processor is the limit."""
    lock = services.redis.lock(EMBED_LOCK, timeout=2 * BUDGET_S, blocking=False)
    if not await lock.acquire():
        return
    try:
        is_over = _budget()
        while not is_over():
            remaining = await services.ingest.embed_pending(EMBED_BATCH)
            if not remaining:
                return
            _log.info("%d passages still without a vector", remaining)
    finally:
        await lock.release()


async def settle_embedders(services: Services) -> None:
    """Index new vectors, and let an embedder that is complete follow the one that serves."""
    await services.succession.settle()


async def keep_search(services: Services) -> None:
    """Tell a search server what changed, and build its indexes."""
    if services.elasticsearch is None:
        return
    await services.elasticsearch.keeper.keep(is_over=_budget())


async def run_imports(services: Services) -> None:
    """Read the files that are due."""
    await _run_each(services.import_runner.run_next)


async def run_ingests(services: Services) -> None:
    """Read the folders, files and sitemaps that are due, as far as the time goes."""
    await _run_each(services.library.runner.run_next)


async def find_duplicates(services: Services) -> None:
    """Compare the people who are new or changed with the others."""
    await _drain(services.duplicates.check_due)


async def sweep(services: Services) -> None:
    """Take up conversations that nobody serves, and let expire what is due."""
    await asyncio.gather(services.engine.sweep(), services.confirmations.expire_due())


async def forget_old(services: Services) -> None:
    """Delete what is past its time, as far as it comes."""
    await forget_all(services, is_over=_budget())
    if services.elasticsearch is None:
        await forget_forsaken(services.database.pool, for_s=FORSAKEN_S)


async def expire_holds(services: Services) -> None:
    """Let holds and offers lapse whose time is over, and offer their seats to who waits."""
    await _drain(services.seats.expire_due)


async def breach_clocks(services: Services) -> None:
    """Tell of what has waited for longer than it may."""
    await _drain(services.sla.breach_due)


async def expire_actions(services: Services) -> None:
    """Close suggestions to advisors whose time is over."""
    await _drain(services.actions.expire_due)


async def expire_quotes(services: Services) -> None:
    """Let prices that nobody accepted in time expire."""
    await _drain(services.fees.expire_due)


async def refresh_analytics(services: Services) -> None:
    """Compute the numbers that events have made stale."""
    await _drain(services.analytics.refresh)


#: Every job there is, and the seconds between its runs: for beat, and for API processes.
JOBS: tuple[Job, ...] = (
    Job("relay_outbox", relay_outbox, 1.0, everywhere=True),
    Job("run_deliveries", run_deliveries, 2.0),
    Job("deliver_outbound", deliver_outbound, 2.0, everywhere=True),
    Job("run_sandbox", run_sandbox, 1.0, everywhere=True),
    Job("send_reminders", send_reminders, 300.0),
    Job("run_payments", run_payments, 1.0, everywhere=True),
    Job("poll_payments", poll_payments, 60.0),
    Job("advance_sagas", advance_sagas, 1.0, everywhere=True),
    Job("embed_pending", embed_pending, 15.0),
    Job("keep_search", keep_search, 1.0, everywhere=True),
    Job("settle_embedders", settle_embedders, 30.0),
    Job("find_duplicates", find_duplicates, 30.0),
    Job("run_imports", run_imports, 5.0),
    Job("run_ingests", run_ingests, 5.0),
    Job("sweep", sweep, 30.0),
    Job("forget_old", forget_old, 600.0),
    Job("expire_holds", expire_holds, 10.0, everywhere=True),
    Job("expire_quotes", expire_quotes, 30.0),
    Job("expire_actions", expire_actions, 300.0),
    Job("breach_clocks", breach_clocks, 20.0),
    Job("refresh_analytics", refresh_analytics, 15.0),
    Job("score_due_leads", score_due_leads, 2.0),
    Job("score_every_night", score_every_night, 300.0),
    Job("train_scores", train_scores, 21_600.0),
    Job("train_recommender", train_recommender, 3_600.0),
)
