"""`orienta doctor`: what runs, in which version, what is missing and what mends it."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.commands.findings import Finding, Health
from api.settings import Settings

MARKS = {
    Health.OK: "[green]✓[/green]",
    Health.IDLE: "[dim]–[/dim]",
    Health.WARNING: "[yellow]![/yellow]",
    Health.BROKEN: "[red]✗[/red]",
}


def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False
) -> None:
    """Say what runs, in which version, what is missing and what mends it.

    Starts nothing. Ends with 1 if something that Orienta needs is broken.
    """
    findings = list(examine(Settings()))
    if as_json:
        sys.stdout.write(json.dumps([asdict(f) for f in findings], indent=2) + "\n")
    else:
        _show(findings)
    if any(f.health is Health.BROKEN for f in findings):
        raise typer.Exit(1)


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at every part."""
    from api.commands import embedder_checks as embedders
    from api.commands import process_checks as processes
    from api.commands import server_checks as servers
    from api.commands.search_checks import check_search

    yield processes.check_orienta()
    yield processes.check_home(settings)
    yield from servers.check_database(settings)
    yield servers.check_redis(settings)
    yield check_search(settings)
    yield embedders.check_embedder(settings)
    yield from embedders.check_vectors(settings)
    yield processes.check_language_model()
    yield processes.check_api(settings)
    yield processes.check_worker(settings)


def _show(findings: Sequence[Finding]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(MARKS[finding.health], finding.part, finding.detail)
        if finding.remedy:
            table.add_row("", "", f"[bold]→ {finding.remedy}[/bold]")
    Console().print(table, highlight=False)
