"""Reports figures: a table for people, JSON for machines."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evals.bench.figure import Figure


def print_figures(console: Console, figures: Sequence[Figure]) -> None:
    """Print each figure beside its aim and its peer."""
    table = Table(title="Benchmarks")
    for heading in ("part", "what"):
        table.add_column(heading)
    for heading in ("figure", "peer's", "ratio", "aim"):
        table.add_column(heading, justify="right")
    table.add_column("peer")
    for figure in figures:
        table.add_row(*_cells(figure))
    console.print(table)


def _cells(figure: Figure) -> list[str]:
    mark = {True: " [green]✓[/green]", False: " [red]✗[/red]", None: ""}[figure.holds]
    peer = "" if figure.peer_value is None else _number(figure.peer_value, figure.unit)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f} ×"
    return [
        figure.part,
        figure.name,
        _number(figure.value, figure.unit),
        peer,
        ratio,
        _aim(figure) + mark,
        figure.peer or "",
    ]


def _number(value: float, unit: str) -> str:
    return f"{value:,.2f} {unit}".rstrip()


def _aim(figure: Figure) -> str:
    if figure.aim is None:
        return ""
    sign = "≥" if figure.at_least else "≤"
    return f"{sign} {figure.aim:g} {'×' if figure.aim_on == 'ratio' else figure.unit}"


def write_figures(path: Path, figures: Sequence[Figure], *, taken_at: str) -> None:
    """Write figures with their ratios.

    Args:
        taken_at: ISO 8601.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(f), "ratio": f.ratio, "holds": f.holds} for f in figures]
    text = json.dumps({"taken_at": taken_at, "figures": rows}, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
