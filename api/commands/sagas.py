"""`orienta sagas`: enrolments and withdrawals that are stuck, and letting them try again."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from api.commands.work import with_services
from crm.actor import SERVICE_ACTOR

if TYPE_CHECKING:
    from api.bootstrap import Services

app = typer.Typer(no_args_is_help=True, help="Enrolments and withdrawals under way.")


@app.callback()
def sagas() -> None:
    """Enrolments and withdrawals under way."""


@app.command("list")
def list_sagas(
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    every: Annotated[bool, typer.Option("--all", help="Also those that are not stuck.")] = False,
) -> None:
    """List what has failed too often and waits for somebody, the newest first, with the reason."""
    page = with_services(
        lambda services: services.workflows.list_sagas(
            {"is_parked": None if every else True}, limit=limit, actor=SERVICE_ACTOR
        )
    )
    console = Console()
    if not page.items:
        console.print("[green]✓[/green] nothing is stuck")
        return
    table = Table("Saga", "Kind", "Status", "Last step", "Stuck since", "Reason", box=None)
    for saga in page.items:
        since = f"{saga.parked_at:%Y-%m-%d %H:%M:%S}" if saga.parked_at else ""
        reason = saga.last_error or ""
        table.add_row(str(saga.id), saga.kind, saga.status, saga.step, since, reason)
    console.print(table)
    if page.next_cursor:
        console.print("… and more: --limit shows up to 200.")


@app.command()
def resume(
    saga: Annotated[UUID | None, typer.Option("--id", help="One saga.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Whatever is stuck.")] = False,
) -> None:
    """Let stuck sagas try again."""
    if not (saga or every):
        raise typer.BadParameter("Name what to try again: --id or --all.")
    count = with_services(lambda services: _resume(services, saga))
    Console().print(f"[green]✓[/green] {count} sagas try again")


async def _resume(services: "Services", saga_id: UUID | None) -> int:
    from crm.workflows.models import SagaId

    if saga_id is not None:
        await services.workflows.resume(SagaId(saga_id), actor=SERVICE_ACTOR)
        return 1
    return await services.workflows.resume_all(actor=SERVICE_ACTOR)
