"""`orienta train`: make anew the small models that are shipped."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agents.llm.offline.guessing import WEIGHTS, IntentModel
from agents.llm.offline.training import read_lesson, train_intents
from api.indexing import retrieval_settings
from api.settings import Settings
from crm.errors import Unavailable
from retrieval.embed.choice import choose_embedder
from retrieval.embed.protocol import OpenEmbedder

app = typer.Typer(no_args_is_help=True, help="Make anew the small models that are shipped.")


@app.callback()
def _group() -> None:
    """Keep `intents` a verb of its own while it is the only one."""


@app.command()
def intents(
    out: Annotated[Path, typer.Option(help="Where the weights go.")] = WEIGHTS,
) -> None:
    """Train the classifier of intents on the phrases in the tree, with the embedder that is set."""
    embedder = choose_embedder(retrieval_settings(Settings()))
    if embedder is None:
        raise Unavailable("embed.none", "Intents are trained with an embedder; none is set.")
    console = Console()
    model = asyncio.run(_train(embedder, console))
    model.save(out)
    console.print(f"✓ {len(model.labels)} intents, {out.stat().st_size / 1000:.0f} kB in {out}")


async def _train(embedder: OpenEmbedder, console: Console) -> IntentModel:
    with console.status("Embedding the phrases …") as status:

        def report(done: int, total: int) -> None:
            status.update(f"Embedding the phrases: {done} of {total}")

        lesson = await read_lesson(embedder.embed_query, report)
    await embedder.aclose()
    return train_intents(lesson, embedder=embedder.id)
