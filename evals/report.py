"""Reports a suite's run: tables for people, JSON for machines."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evals.results import ScenarioResult, SuiteResult, Tally, tally
from evals.score import Verdict

_MARKS = {
    Verdict.PASSED: "[green]✓[/green]",
    Verdict.FAILED: "[red]✗[/red]",
    Verdict.UNSCORED: "[yellow]?[/yellow]",
}


#: Where output goes to a file there is no width to respect.
_FILE_WIDTH = 120


def wide_console() -> Console:
    """Return the console: as wide as the terminal, or wide enough for tables in a file."""
    console = Console()
    return console if console.is_terminal else Console(width=_FILE_WIDTH)


def print_progress(console: Console, number: int, total: int, result: ScenarioResult) -> None:
    """Say how one scenario went."""
    console.print(f"{_MARKS[result.verdict]} {number:>3}/{total} {result.id}", highlight=False)


def print_report(console: Console, result: SuiteResult) -> None:
    """Print what failed with what was said, and the counts."""
    for scenario in result.results:
        if scenario.verdict is not Verdict.PASSED:
            _print_scenario(console, scenario)
    console.print(_table(result))
    console.print(
        f"{result.suite} · {result.provider} · {len(result.results)} scenarios in "
        f"{result.seconds:.0f} s · median turn {result.median_latency_ms():.0f} ms",
        highlight=False,
    )


def _print_scenario(console: Console, result: ScenarioResult) -> None:
    console.print(f"\n{_MARKS[result.verdict]} [bold]{result.id}[/bold] ({result.family})")
    for line in result.lines:
        said = escape(" ⏎ ".join(str(line["text"]).splitlines()))
        console.print(f"   {line['role']:>8}: {said}", highlight=False, soft_wrap=True)
    for graded in result.problems:
        where = "" if graded.turn is None else f"turn {graded.turn}, "
        reason = escape(f"{where}{graded.scorer}: {graded.score.explanation}")
        console.print(
            f"   [red]{graded.score.verdict}[/red] {reason}", highlight=False, soft_wrap=True
        )


def _table(result: SuiteResult) -> Table:
    table = Table(title=f"Suite {result.suite}")
    table.add_column("")
    for heading in ("passed", "failed", "unscored", "rate"):
        table.add_column(heading, justify="right")
    for family, counts in result.by(lambda r: r.family).items():
        _row(table, family, counts)
    table.add_section()
    for language, counts in result.by(lambda r: r.language).items():
        _row(table, language, counts)
    table.add_section()
    _row(table, "all", tally(result.results))
    return table


def _row(table: Table, name: str, counts: Tally) -> None:
    figures = (counts.passed, counts.failed, counts.unscored)
    table.add_row(name, *map(str, figures), f"{counts.rate:.0%}")


def record_of(result: SuiteResult) -> dict[str, Any]:
    """Return every score and every word, for comparisons."""
    return {
        **asdict(result),
        "all": asdict(tally(result.results)),
        "families": {k: asdict(v) for k, v in result.by(lambda r: r.family).items()},
        "languages": {k: asdict(v) for k, v in result.by(lambda r: r.language).items()},
    }


def write_json(path: Path, records: list[dict[str, Any]]) -> None:
    """Write what suites came to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"suites": records}, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
