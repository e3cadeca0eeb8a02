"""How an experiment reports what it saw."""

import sys
from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

KindT = TypeVar("KindT", bound=str)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say_counts(counts: Mapping[str, int]) -> None:
    """Print numbers and what they count."""
    for name, number in counts.items():
        say(f"{number:>7} {name}")


def say_findings(findings: Mapping[str, int]) -> None:
    """Print what must be zero, marked where it is not."""
    for name, number in findings.items():
        say(f"{number:>7} {name}" + ("   <-- wrong" if number else ""))


def say_table(rows: Mapping[KindT, Counter[str]]) -> None:
    """Print who ended how, a row a kind."""
    columns = sorted({name for row in rows.values() for name in row if row[name]})
    say(f"{'who':>14} {'all':>6}" + "".join(f" {name:>12}" for name in columns))
    for name, row in sorted(rows.items()):
        say(f"{name:>14} {row.total():>6}" + "".join(f" {row[c]:>12}" for c in columns))
