"""`orienta search-index`: the indexes of a search server, built from the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer
from rich.console import Console

from api.commands.steps import Step, Steps
from api.commands.store import require_answer
from api.embedded.deployment import complete
from api.settings import Settings
from crm.errors import Unavailable

if TYPE_CHECKING:
    from retrieval.stores.elasticsearch.generations import Generation
    from retrieval.stores.elasticsearch.projection import Projection

Result = TypeVar("Result")

_PAUSE_S = 0.5

app = typer.Typer(
    no_args_is_help=True, help="The indexes of a search server, built from the database."
)


@app.callback()
def search_index() -> None:
    """The indexes of a search server, built from the database."""


@app.command()
def rebuild() -> None:
    """Build all indexes anew while the old ones serve, and let them serve at one moment.

    May be broken off at any time: the worker, or the next call, goes on with it.
    """
    with Steps(Console()).step("Building the search index") as step:
        built = _with_projection(lambda projection: _build(projection, step))
        step.found(f"{built.chunks} passages")
        if built.set_aside:
            step.found(f"{built.chunks} passages, {built.set_aside} set aside")


@app.command()
def status() -> None:
    """Say which indexes there are, what they wait for and what the server does not take."""
    console = Console()

    async def look(projection: "Projection") -> None:
        for generation in await projection.list_generations():
            console.print(words_of(generation), highlight=False)
        for item in await projection.list_set_aside():
            name = item.document_id or "a passage that is gone"
            console.print(f"[yellow]![/yellow] {name}: {item.reason}", highlight=False)

    _with_projection(look)


@app.command()
def retry() -> None:
    """Let what the server did not take be tried again."""
    count = _with_projection(lambda projection: projection.retry_set_aside())
    Console().print(f"[green]✓[/green] {count} passages are tried again", highlight=False)


def words_of(generation: "Generation") -> str:
    """Return what a set of indexes is and lacks, in words."""
    vectors = f"vectors of {generation.embedder}" if generation.embedder else "no vectors"
    lacks = f"{generation.pending} changes to come, {generation.set_aside} set aside"
    return f"{generation.id} {generation.state}: {generation.chunks} passages, {vectors}, {lacks}"


async def _build(projection: "Projection", step: Step) -> "Generation":
    """Build, together with whoever else does, until the new indexes serve."""
    while not await projection.begin():
        pass  # it has waited for those who change documents
    wanted = max(g.id for g in await projection.list_generations())
    while True:
        busy = bool(await projection.push()) or await projection.advance()
        known = {g.id: g for g in await projection.list_generations()}
        if wanted not in known:  # the server lost it; another is built
            wanted = max(known, default=wanted)
        elif known[wanted].state == "serving":
            return known[wanted]
        else:
            done = max(known[wanted].chunks - known[wanted].pending, 0)
            step("passages", done, known[wanted].chunks)
        if not busy:  # others have the rest in hand, or the server asked for patience
            await asyncio.sleep(_PAUSE_S)


def _with_projection(work: "Callable[[Projection], Awaitable[Result]]") -> Result:
    from api.bootstrap import open_services

    async def run(settings: Settings) -> Result:
        async with open_services(settings) as services:
            if services.elasticsearch is None:
                raise Unavailable(
                    "search.index",
                    "PostgreSQL searches here: set ORIENTA_SEARCH_STORE=elasticsearch.",
                )
            return await work(services.elasticsearch.projection)

    with complete(Settings(), redis=False) as settings:
        require_answer(settings.require_database_url())
        return asyncio.run(run(settings))
