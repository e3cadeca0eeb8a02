"""`orienta serve`: the HTTP server."""

import os
from typing import Annotated

import typer

from api.embedded.deployment import complete, environment_of
from api.settings import Settings

DRAIN_S = 8  # how long open requests and event streams may still run after a stop


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; one a core at most.")] = 1,
) -> None:
    """Serve the API, the widget and the consoles."""
    import uvicorn

    with complete(_settings(host, port)) as settings:
        os.environ.update(environment_of(settings))  # the factory reads its settings from there
        uvicorn.run(
            "api.app:create_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=workers,
            timeout_graceful_shutdown=DRAIN_S,
            server_header=False,
        )


def _settings(host: str | None, port: int | None) -> Settings:
    given = {"host": host, "port": port}
    return Settings().model_copy(update={k: v for k, v in given.items() if v is not None})
