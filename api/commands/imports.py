"""`orienta import`: read a CSV file of people, leads or courses."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.commands.steps import Step, Steps
from api.commands.store import require_answer
from api.embedded.deployment import complete
from api.settings import Settings
from crm.actor import SERVICE_ACTOR
from crm.errors import RuleBroken
from crm.imports.models import DuplicatePolicy, Import, ImportKind, LineError, StartImport

if TYPE_CHECKING:
    from api.bootstrap import Services

_SHOWN = 20


def import_file(
    kind: Annotated[str, typer.Argument(help="people, leads or courses.")],
    file: Annotated[Path, typer.Argument(help="A CSV file with a header line.", exists=True)],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    duplicates: Annotated[
        str, typer.Option(help="What is there already: skip it, update it, or fail the line.")
    ] = "skip",
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", help="FIELD=HEADER, where the header does not say it itself."),
    ] = None,
) -> None:
    """Read a CSV file of people, leads or courses; a bad line costs itself and no other."""
    console = Console()
    command = StartImport(
        kind=_one_of(kind, ("people", "leads", "courses")),  # type: ignore[arg-type]
        file_name=file.name[-200:],
        columns=dict(_pair(text) for text in columns or ()),
        duplicates=_one_of(duplicates, ("skip", "update", "fail")),  # type: ignore[arg-type]
        dry_run=dry_run,
    )
    with complete(Settings()) as settings, Steps(console).step(f"Reading {file.name}") as step:
        require_answer(settings.require_database_url())
        ended, errors = asyncio.run(_import(settings, command, file, step))
        step.found(_words(ended))
    _show(console, errors, ended.failed)
    if ended.status != "done":
        raise RuleBroken(ended.error_code or "import.failed", _reason(ended))


async def _import(
    settings: Settings, command: StartImport, file: Path, step: Step
) -> tuple[Import, tuple[LineError, ...]]:
    from api.bootstrap import open_services

    async with open_services(settings) as services:
        row = await services.imports.receive(command, _pieces(file), actor=SERVICE_ACTOR)
        ended = await _until_ended(services, row, step)
        page = await services.imports.errors(row.id, cursor=None, limit=_SHOWN, actor=SERVICE_ACTOR)
        return ended, page.items


async def _until_ended(services: "Services", row: Import, step: Step) -> Import:
    """Run what is due here; a worker may be faster, then its progress is shown."""
    while not row.has_ended:
        ran = await services.import_runner.run_next(
            report=lambda at, done: step(at.file_name, done, at.lines_total)
        )
        row = await services.imports.get(row.id, actor=SERVICE_ACTOR)
        step(row.file_name, row.lines_done, row.lines_total)
        if not ran and not row.has_ended:
            await asyncio.sleep(0.5)
    return row


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(file.open, "rb") as content:
        while piece := await asyncio.to_thread(content.read, 1 << 18):
            yield piece


def _one_of(word: str, words: tuple[ImportKind | DuplicatePolicy, ...]) -> str:
    if word not in words:
        raise typer.BadParameter(f"“{word}” is none of {', '.join(words)}.")
    return word


def _pair(text: str) -> tuple[str, str]:
    name, equals, header = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"“{text}” is not FIELD=HEADER.")
    return name, header


def _words(row: Import) -> str:
    counts = {
        "new": row.created,
        "changed": row.updated,
        "skipped": row.skipped,
        "refused": row.failed,
    }
    words = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return (words or "nothing in it") + (" (dry run: nothing was changed)" if row.dry_run else "")


def _show(console: Console, errors: tuple[LineError, ...], total: int) -> None:
    if not errors:
        return
    table = Table("Line", "Field", "Reason", box=None)
    for error in errors:
        table.add_row(str(error.line), error.field or "", error.message)
    console.print(table)
    if total > len(errors):
        console.print(f"… and {total - len(errors):,} more: GET /v1/imports/…/errors lists all.")


def _reason(row: Import) -> str:
    reasons = {
        "import.columns": "The file lacks a column that is needed; name it with --map.",
        "import.column": "The file has no column with a header that --map names.",
        "import.empty": "The file has no header line.",
    }
    return reasons.get(row.error_code or "", f"The import ended as {row.status}.")
