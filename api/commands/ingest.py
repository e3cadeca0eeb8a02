"""`orienta ingest`: bring the knowledge in step with a folder."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from api.commands.steps import Step, Steps
from api.commands.store import require_answer
from api.embedded.deployment import complete
from api.settings import Settings

if TYPE_CHECKING:
    from retrieval.ingest.service import IngestProgress, IngestSummary


def ingest(
    path: Annotated[Path, typer.Argument(help="Folder of Markdown and HTML files.")],
    collection: Annotated[
        str, typer.Option(help="What the folder stands for; files gone from it are withdrawn.")
    ] = "knowledge",
) -> None:
    """Bring the knowledge in step with a folder: new, changed and vanished documents."""
    console = Console()
    with complete(Settings()) as settings, Steps(console).step(f"Reading {path}") as step:
        require_answer(settings.require_database_url())
        summary, pending = asyncio.run(_ingest(settings, path, collection, step))
        step.found(_words(summary))
    for file in summary.set_aside:
        console.print(f"[yellow]![/yellow] {file.path}: {file.reason}", highlight=False)
    if pending:
        console.print(
            f"{pending} passages have no vector yet: found by their words now, "
            "by their meaning when the worker has embedded them.",
            highlight=False,
        )


async def _ingest(
    settings: Settings, path: Path, collection: str, step: Step
) -> "tuple[IngestSummary, int]":
    from api.bootstrap import open_services

    def report(progress: "IngestProgress") -> None:
        step(progress.name, progress.done, progress.total)

    async with open_services(settings) as services:
        summary = await services.ingest.ingest_folder(path, report, collection=collection)
        return summary, await services.ingest.pending()


def _words(summary: "IngestSummary") -> str:
    counts = {
        "new": summary.added,
        "changed": summary.changed + summary.updated,
        "unchanged": summary.unchanged,
        "withdrawn": summary.withdrawn,
        "set aside": len(summary.set_aside),
    }
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "no documents"
