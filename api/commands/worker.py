"""`orienta worker`: the Celery worker."""

import os
from typing import Annotated

import typer

from api.embedded.deployment import complete, environment_of
from api.settings import Settings


def worker(
    concurrency: Annotated[int, typer.Option(min=1, help="Tasks at once, a process each.")] = 2,
    beat: Annotated[
        bool, typer.Option(help="Also send the timed tasks; harmless in several workers.")
    ] = True,
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "INFO",
) -> None:
    """Run the tasks that events and the clock ask for."""
    from api.worker.app import create_worker
    from api.worker.tasks import register

    with complete(Settings()) as settings:
        os.environ.update(environment_of(settings))  # each child opens its own services
        os.environ.setdefault("ORIENTA_EMBED_THREADS", "1")  # leaves a core to the answers
        schedule = settings.home / "celerybeat-schedule"
        celery = create_worker(settings.redis_url or "", schedule_file=schedule)
        register(celery)
        options = [f"--concurrency={concurrency}", f"--loglevel={log_level}", "--without-mingle"]
        celery.worker_main(["worker", *options, *(["--beat"] if beat else [])])
