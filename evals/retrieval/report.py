"""Reports the suite's figures: a table for people, JSON for machines."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from evals.retrieval.measure import Figure
from evals.retrieval.suite import RetrievalResult

_MARKS = {True: " [green]✓[/green]", False: " [red]✗[/red]", None: ""}


def print_retrieval(console: Console, result: RetrievalResult) -> None:
    """Print each figure with its interval and its bound, and what was skipped."""
    print_figures(console, "Suite retrieval", result.figures)
    for reason in result.skipped:
        console.print(f"[yellow]skipped[/yellow] {reason}", highlight=False, soft_wrap=True)
    console.print(
        f"retrieval · {result.embedder} · {len(result.figures)} figures in {result.seconds:.0f} s",
        highlight=False,
    )


def print_figures(console: Console, title: str, figures: Sequence[Figure]) -> None:
    """Print each figure with its interval and its bound."""
    table = Table(title=title)
    table.add_column("corpus")
    table.add_column("measure")
    for heading in ("figure", "95 %", "n", "bound"):
        table.add_column(heading, justify="right")
    for figure in figures:
        table.add_row(*_cells(figure))
    console.print(table)


def _cells(figure: Figure) -> list[str]:
    return [
        figure.corpus,
        figure.name,
        f"{figure.value:.3f}",
        f"{figure.low:.3f}-{figure.high:.3f}",
        str(figure.count),
        _bound(figure) + _MARKS[figure.holds],
    ]


def _bound(figure: Figure) -> str:
    if figure.least is not None:
        return f"≥ {figure.least:.2f}"
    return "" if figure.most is None else f"≤ {figure.most:.2f}"


def record_of(result: RetrievalResult) -> dict[str, Any]:
    """Return what a later run is compared with."""
    return {"suite": result.suite, **asdict(result)}
