"""`orienta beat`: send the timed tasks, where workers do not do it themselves."""

from typing import Annotated

import typer

from api.embedded.deployment import complete
from api.settings import Settings


def beat(
    log_level: Annotated[str, typer.Option(help="Celery's.")] = "WARNING",
) -> None:
    """Send the timed tasks; one process a deployment, and workers with --no-beat."""
    from api.worker.app import create_worker
    from api.worker.tasks import schedule

    with complete(Settings()) as settings:
        memory = settings.home / "celerybeat-schedule"
        celery = create_worker(settings.redis_url or "", schedule_file=memory)
        schedule(celery)
        celery.start(["--quiet", "beat", f"--loglevel={log_level}", "--pidfile="])
