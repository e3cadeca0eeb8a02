"""`orienta worker`: the Celery worker."""

import logging
import os
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import typer

from api.embedded.deployment import complete, environment_of
from api.settings import Settings

_BEAT_CHECK_S = 5.0


def worker(
    concurrency: Annotated[int, typer.Option(min=1, help="Tasks at once, a process each.")] = 2,
    beat: Annotated[
        bool, typer.Option(help="Also send the timed tasks; harmless in several workers.")
    ] = True,
    log_level: Annotated[
        str, typer.Option(help="Celery's: DEBUG, INFO (a line a task), WARNING or ERROR.")
    ] = "WARNING",
) -> None:
    """Run the tasks that events and the clock ask for."""
    from celery.platforms import SecurityWarning
    from celery.signals import setup_logging, worker_ready

    from api.worker.app import create_worker
    from api.worker.tasks import register, schedule

    with complete(Settings()) as settings:
        os.environ.update(environment_of(settings))  # each child opens its own services
        os.environ.setdefault("ORIENTA_EMBED_THREADS", "1")  # leaves a core to the answers
        memory = settings.home / "celerybeat-schedule"
        celery = create_worker(settings.redis_url or "", schedule_file=memory)
        register(celery)
        schedule(celery)
        setup_logging.connect(_quietly(log_level), weak=False)
        worker_ready.connect(_watch_beat, weak=False)
        warnings.filterwarnings("ignore", category=SecurityWarning)  # as root; we take JSON alone
        options = [f"--concurrency={concurrency}", "--without-mingle"]
        celery.worker_main(["--quiet", "worker", *options, *(["--beat"] if beat else [])])


def _watch_beat(sender: Any, **_: Any) -> None:
    """Start the timed tasks again when their process was killed: Celery itself would not."""
    controller = sender.controller
    if getattr(controller, "beat", None) is not None:
        controller.timer.call_repeatedly(_BEAT_CHECK_S, _revive_beat, (controller,))


def _revive_beat(controller: Any) -> None:
    from celery.beat import EmbeddedService

    if not controller.beat.is_alive():
        controller.beat = EmbeddedService(
            controller.app, schedule_filename=controller.schedule_filename
        )
        controller.beat.start()


def _quietly(celery_level: str) -> Callable[..., None]:
    """Our own log lines, and Celery's from a level on: a line a task would fill disks."""

    def set_up(**_: Any) -> None:
        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        for name in ("celery", "kombu", "httpx"):
            logging.getLogger(name).setLevel(celery_level.upper())

    return set_up
