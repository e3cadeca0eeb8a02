"""`orienta ping`: does a worker answer."""

from typing import Annotated

import typer

from api.settings import Settings
from crm.errors import Unavailable


def ping(
    timeout_s: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds.")] = 5.0,
) -> None:
    """Ask the workers for a sign of life; ends with 1 if none gives one."""
    from api.worker.app import create_worker

    url = Settings().redis_url
    if url is None:
        raise Unavailable("settings.redis_url", "ORIENTA_REDIS_URL is not set.")
    try:
        answers = create_worker(url).control.ping(timeout=timeout_s)
    except OSError as silent:
        raise Unavailable("redis", "Redis does not answer.") from silent
    if not answers:
        raise Unavailable("worker", "No worker answers.")
    typer.echo(f"{len(answers)} of our workers answer")
