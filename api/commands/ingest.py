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
from crm.actor import SERVICE_ACTOR
from crm.errors import RuleBroken

if TYPE_CHECKING:
    from api.bootstrap import Services
    from api.ingests import StartIngest
    from retrieval.ingest.jobs.models import AsideItem, Job

_SHOWN = 50


def ingest(
    path: Annotated[
        Path, typer.Argument(help="Folder of Markdown, HTML, text, PDF and Word files.")
    ],
    collection: Annotated[
        str, typer.Option(help="What the folder stands for; files gone from it are withdrawn.")
    ] = "knowledge",
    audience: Annotated[
        str | None, typer.Option(help="Who may read files that do not say: public, students, staff")
    ] = None,
    topic: Annotated[str | None, typer.Option(help="Topic of files that name none.")] = None,
    background: Annotated[
        bool, typer.Option("--background", help="Leave it to the worker of this machine.")
    ] = False,
) -> None:
    """Bring the knowledge in step with a folder: new, changed and vanished documents."""
    from api.ingests import StartIngest

    console = Console()
    if audience not in (None, "public", "students", "staff"):
        raise typer.BadParameter(f"“{audience}” is none of public, students, staff.")
    command = StartIngest(
        source="folder",
        place=str(path.resolve()),
        collection=collection,
        fields={},
        defaults={"audience": audience, "topic": topic},
        complete=True,
    )
    with complete(Settings()) as settings, Steps(console).step(f"Reading {path}") as step:
        require_answer(settings.require_database_url())
        job, aside, pending = asyncio.run(_ingest(settings, command, step, background))
        step.found(f"ingest {job.id} is queued" if background else _words(job))
    for file in aside:
        console.print(f"[yellow]![/yellow] {file.name}: {file.reason}", highlight=False)
    if job.set_aside > len(aside):
        console.print(f"… and more: GET /v1/knowledge/ingests/{job.id}/set-aside lists all.")
    if pending and not background:
        console.print(
            f"{pending} passages have no vector yet: found by their words now, "
            "by their meaning when the worker has embedded them.",
            highlight=False,
        )
    if job.status == "failed":
        raise RuleBroken(job.error_code or "ingest.failed", job.reason or "The ingest failed.")


async def _ingest(
    settings: Settings, command: "StartIngest", step: Step, background: bool
) -> "tuple[Job, list[AsideItem], int]":
    from api.bootstrap import open_services

    async with open_services(settings) as services:
        job = await services.library.desk.read_folder(
            command,
            actor=SERVICE_ACTOR,
            claim_s=None if background else services.library.jobs.claim_s,
        )
        if not background:
            job = await _until_ended(services, job, step)
        aside = await services.library.jobs.list_aside(job.id, limit=_SHOWN)
        return job, aside, await services.ingest.pending()


async def _until_ended(services: "Services", job: "Job", step: Step) -> "Job":
    """Run it here; a worker that takes it over, after this process slept, is waited for."""

    def report(at: "Job", name: str, done: int) -> None:
        step(name, done, max(total, done))

    total = len(await asyncio.to_thread(_files, job.place))
    await services.library.runner.run(job, report=report)
    while not (job := await services.library.jobs.get(job.id)).has_ended:
        if not await services.library.runner.run_next(only=job.id, report=report):
            await asyncio.sleep(0.5)
    return job


def _files(place: str) -> list[str]:
    from retrieval.errors import Unreadable
    from retrieval.ingest.folder import list_files

    try:
        return list_files(Path(place))
    except Unreadable:  # the ingest says so itself
        return []


def _words(job: "Job") -> str:
    counts = {
        "new": job.added,
        "changed": job.changed + job.updated,
        "unchanged": job.unchanged,
        "withdrawn": job.withdrawn,
        "set aside": job.set_aside,
    }
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "no documents"
