"""`orienta scoring`: what scores leads, whether it is still right and fair, and training."""

import typer
from rich.console import Console
from rich.table import Table

from api.commands.work import with_services
from crm.actor import SERVICE_ACTOR

app = typer.Typer(no_args_is_help=True, help="The scores of leads.")


@app.callback()
def scoring() -> None:
    """The scores of leads."""


@app.command()
def report() -> None:
    """Show what scores, how far features drift, and which groups are called first."""
    taken = with_services(lambda services: services.scoring_reports.take(actor=SERVICE_ACTOR))
    console = Console()
    console.print(f"{taken.model} scores", highlight=False)
    drifts = Table("Feature", "Drift (PSI)", box=None)
    for drift in taken.drifts:
        drifts.add_row(drift.feature, _told(drift.stability_index))
    groups = Table("Group", "", "Leads", "Share high", "Ratio", box=None)
    for group in taken.groups:
        groups.add_row(
            group.kind, group.name, str(group.leads), _told(group.share), _told(group.ratio)
        )
    trainings = Table("Version", "Trained", "Leads", "Won", "AUC", "Champion's", box=None)
    for made in taken.trainings:
        auc, theirs = made.measures.get("auc"), made.measures.get("champion_auc")
        day = f"{made.trained_at:%Y-%m-%d}"
        won = "yes" if made.won else "no"
        trainings.add_row(str(made.version), day, str(made.leads), won, _told(auc), _told(theirs))
    for table in (drifts, groups, trainings):
        console.print(table)


@app.command()
def train() -> None:
    """Train a model now; it takes over only if it beats what serves."""
    made = with_services(lambda services: services.scoring.train())
    console = Console()
    if made is None:
        console.print("There are too few leads whose outcome is known: the scorecard serves.")
        return
    verdict = "takes over" if made.won else "does not beat what serves"
    console.print(f"[green]✓[/green] version {made.version} {verdict}", highlight=False)


def _told(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
