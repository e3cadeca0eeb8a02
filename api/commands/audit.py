"""`orienta audit`: verify that no record of what was done has been changed or lost."""

import asyncio

import typer
from rich.console import Console

from api.commands.store import require_answer
from api.embedded.deployment import complete
from api.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The record of what every agent and person did.")


@app.callback()
def audit() -> None:
    """The record of what every agent and person did."""


@app.command()
def verify() -> None:
    """Walk every chain of audit records; ends with 1 if a record was changed or is missing."""
    from api.bootstrap import Services, open_services
    from crm.journal.service import Verification

    async def walk(settings: Settings) -> Verification:
        services: Services
        async with open_services(settings) as services:
            return await services.journal.verify_chains()

    with complete(Settings(), redis=False) as settings:
        require_answer(settings.require_database_url())
        found = asyncio.run(walk(settings))
    console = Console()
    for flaw in found.broken:
        console.print(f"[red]✗[/red] chain {flaw.chain_id}, record {flaw.seq}: {flaw.reason}")
    if found.broken:
        raise typer.Exit(1)
    console.print(f"[green]✓[/green] {found.events} records in {found.chains} chains fit together")
