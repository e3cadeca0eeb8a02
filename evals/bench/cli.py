"""The benchmarks' command line: `make bench`, `python -m evals.bench`, `orienta eval bench`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.bootstrap import open_services
from api.demo.loader import load_demo
from api.settings import Settings
from crm.errors import NotFound
from evals.bench.api.part import measure_api
from evals.bench.counters import calm
from evals.bench.courses.part import measure_courses
from evals.bench.figure import Figure
from evals.bench.lists.part import measure_lists
from evals.bench.report import print_figures, write_figures
from evals.bench.retrieval.part import measure_retrieval
from evals.bench.scoring.part import measure_scoring
from evals.bench.turn.part import measure_turn
from evals.bench.turn.subject import Servers
from evals.report import wide_console
from evals.servers import database_beside, throwaway

RESULTS = Path("bench-results")

Measure = Callable[[Servers, Callable[[str], None]], Awaitable[list[Figure]]]


async def _turn(servers: Servers, say: Callable[[str], None]) -> list[Figure]:
    return await measure_turn(servers, say=say)


async def _api(servers: Servers, say: Callable[[str], None]) -> list[Figure]:
    return await measure_api(servers, say=say)


async def _lists(servers: Servers, say: Callable[[str], None]) -> list[Figure]:
    return await measure_lists(servers, say=say)


async def _retrieval(servers: Servers, say: Callable[[str], None]) -> list[Figure]:
    return await measure_retrieval(servers, say=say)


async def _courses(servers: Servers, say: Callable[[str], None]) -> list[Figure]:
    return await measure_courses(servers, say=say)


async def _scoring(servers: Servers, say: Callable[[str], None]) -> list[Figure]:
    return await measure_scoring(servers, say=say)


#: The last one replaces what the others look for.
PARTS: dict[str, Measure] = {
    "turn": _turn,
    "api": _api,
    "lists": _lists,
    "courses": _courses,
    "scoring": _scoring,
    "retrieval": _retrieval,
}


def bench(
    parts: Annotated[list[str] | None, typer.Argument(help="All of them by default.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures there.")] = None,
) -> None:
    """Measure against peers, on servers of our own that write as a deployment's do."""
    logging.basicConfig(level=logging.WARNING)
    console = wide_console()
    chosen, given = _chosen(parts or list(PARTS)), Settings()
    with (
        throwaway(given, durable=True) as settings,
        database_beside(settings.require_database_url()) as peer_url,
    ):
        if given.database_url is None:
            calm(peer_url)
        figures = asyncio.run(_measure(console, Servers(settings, peer_url), chosen))
    print_figures(console, figures)
    taken = datetime.now(UTC)
    path = json or RESULTS / f"{'-'.join(chosen)}-{taken:%Y%m%dT%H%M%SZ}.json"
    write_figures(path, figures, taken_at=taken.isoformat(timespec="seconds"))
    console.print(f"Written to {path}", highlight=False)


def _chosen(names: list[str]) -> list[str]:
    for name in names:
        if name not in PARTS:
            raise NotFound("bench.unknown", f"There is no part {name!r}: {', '.join(PARTS)}.")
    return names


async def _measure(console: Console, servers: Servers, parts: list[str]) -> list[Figure]:
    def say(what: str) -> None:
        console.print(f"… {what}", highlight=False)

    say("loading the demo institution")
    plain = servers.settings.model_copy(update={"embedder": "none"})
    async with open_services(plain) as services:
        await load_demo(services, report=lambda what, done, total: None)
    figures: list[Figure] = []
    for name in parts:
        figures += await PARTS[name](servers, say)
    return figures
