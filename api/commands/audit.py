"""`orienta audit`: verify that no record of what was done has been changed or lost."""

import typer
from rich.console import Console

from api.commands.work import with_services

app = typer.Typer(no_args_is_help=True, help="The record of what every agent and person did.")


@app.callback()
def audit() -> None:
    """The record of what every agent and person did."""


@app.command()
def verify() -> None:
    """Walk every chain of audit records; ends with 1 if a record was changed or is missing."""
    found = with_services(lambda services: services.journal.verify_chains())
    console = Console()
    for flaw in found.broken:
        console.print(f"[red]✗[/red] chain {flaw.chain_id}, record {flaw.seq}: {flaw.reason}")
    if found.broken:
        raise typer.Exit(1)
    console.print(f"[green]✓[/green] {found.events} records in {found.chains} chains fit together")
