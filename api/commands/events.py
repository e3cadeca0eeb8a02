"""`orienta events`: what no handler could take, and trying it again."""

from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from api.commands.work import with_services
from crm.actor import SERVICE_ACTOR

app = typer.Typer(no_args_is_help=True, help="Domain events and the handlers that want them.")


@app.callback()
def events() -> None:
    """Domain events and the handlers that want them."""


@app.command()
def dead(limit: Annotated[int, typer.Option(min=1, max=200)] = 50) -> None:
    """List the events that a handler could not take, the latest first, with the reason."""
    page = with_services(
        lambda services: services.deliveries.list_dead(
            cursor=None, limit=limit, actor=SERVICE_ACTOR
        )
    )
    console = Console()
    if not page.items:
        console.print("[green]✓[/green] every event has reached its handlers")
        return
    table = Table("Event", "Name", "Handler", "Tries", "Given up", "Reason", box=None)
    for row in page.items:
        given_up = f"{row.dead_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(
            str(row.event_id), row.name, row.handler, str(row.attempts), given_up, row.reason
        )
    console.print(table)
    if page.next_cursor:
        console.print("… and more: --limit shows up to 200.")


@app.command()
def replay(
    event: Annotated[UUID | None, typer.Option("--id", help="One event.")] = None,
    handler: Annotated[str | None, typer.Option(help="One handler's events.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Whatever is dead.")] = False,
) -> None:
    """Let dead events be tried again."""
    if not (event or handler or every):
        raise typer.BadParameter("Name what to try again: --id, --handler or --all.")
    count = with_services(
        lambda services: services.deliveries.replay(
            event_id=event, handler=handler, actor=SERVICE_ACTOR
        )
    )
    Console().print(f"[green]✓[/green] {count} deliveries will be tried again")
