"""`orienta erasures`: the list of the erased, and erasing them again after a restore."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console

from api.commands.work import with_services
from crm.errors import RuleBroken
from crm.ids import PersonId

if TYPE_CHECKING:
    from api.bootstrap import Services

Line = tuple[PersonId, tuple[UUID, ...]]

app = typer.Typer(no_args_is_help=True, help="People who were erased, and must stay so.")


@app.callback()
def erasures() -> None:
    """People who were erased, and must stay so."""


@app.command("list")
def list_erasures() -> None:
    """Print who was erased, one JSON object a line, ids only; keep it beside the backups."""
    for person_id, subjects in with_services(_listed):
        line = {"person_id": str(person_id), "subjects": [str(s) for s in subjects]}
        sys.stdout.write(json.dumps(line) + "\n")


@app.command()
def replay(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="A list kept beside the backup"),
    ] = None,
) -> None:
    """Erase again everybody on the database's own list, and on the one that was kept."""
    kept = read_lines(file.read_text("utf-8").splitlines()) if file else ()

    async def again(services: "Services") -> int:
        return await services.erasures.replay((*await _listed(services), *kept))

    count = with_services(again)
    Console().print(f"[green]✓[/green] {count} people erased again")


def read_lines(lines: Iterable[str]) -> tuple[Line, ...]:
    """Return what `list` printed.

    Raises: RuleBroken("erasure.list"): a line is not one of ours.
    """
    try:
        found = [json.loads(line) for line in lines if line.strip()]
        return tuple(
            (PersonId(UUID(row["person_id"])), tuple(map(UUID, row["subjects"]))) for row in found
        )
    except (ValueError, KeyError, TypeError, AttributeError) as broken:
        raise RuleBroken("erasure.list", "This is not a list of erasures.") from broken


async def _listed(services: "Services") -> list[Line]:
    return [(e.person_id, e.subjects) async for e in services.erasures.list_all()]
