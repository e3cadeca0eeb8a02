"""Runs the comparison and prints it with its intervals."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from crm.errors import NotFound
from evals.recommendation.data import load_data
from evals.recommendation.experiment import (
    EASE,
    OURS,
    POPULARITY,
    Trial,
    try_newcomers,
    try_split,
    try_splits,
)
from retrieval.recommend.blend import SEED
from retrieval.recommend.measures import Interval, Judged, Values, paired_interval
from retrieval.recommend.splits import Split

DEFAULT_DATA = "../shared/data"

#: What was compared → mean difference and its bounds.
Intervals = dict[str, list[float]]


def measure_recommendation(
    console: Console, *, held_out: Path | None = None
) -> tuple[bool, Intervals]:
    """Print how the recommender does; return whether it holds what it shall, and the intervals.

    Without the data nothing is measured, and that is said.

    Args:
        held_out: further enrolments of the same people, to be judged by besides the splits.
    """
    root = Path(os.environ.get("ORIENTA_DATA", DEFAULT_DATA))
    try:
        data = load_data(root, held_out=held_out)
    except NotFound as missing:
        console.print(f"recommendation is not measured: {missing.safe_message}", highlight=False)
        return True, {}
    found: Intervals = {}
    console.print(
        f"{len(data.seen)} people, {len(data.codes)} courses; everything is tuned within what a "
        "split leaves visible",
        highlight=False,
    )
    good = _report_known(
        console, try_splits(data), "a fifth of each person's courses hidden", found
    )
    if data.held_out is not None:
        trial = try_split(data, Split(data.seen, data.held_out))
        good &= _report_known(console, [trial], "the courses held out", found)
    return _report_newcomers(console, try_newcomers(data), found) and good, found


def _report_known(console: Console, trials: Sequence[Trial], title: str, found: Intervals) -> bool:
    table = _table(f"{title}, {len(trials)} ×", "model")
    for name in (POPULARITY, EASE, OURS):
        table.add_row(name, *_cells([t.judged[name] for t in trials]))
    console.print(table)
    for t in trials:
        console.print(f"chosen: EASE^R λ {t.ease_ridge:g}; {t.dials}", highlight=False)
    won = [
        _print_difference(
            console, f"{title}: {OURS} − {EASE}", measure, _by_person(trials, measure), found
        )
        for measure in ("recall", "ndcg")
    ]
    return all(won)


def _by_person(trials: Sequence[Trial], measure: str) -> tuple[Values, Values]:
    """Return each person's mean over the splits, of ours and of the peer's."""
    ours, theirs = (
        np.mean([getattr(t.judged[name], measure) for t in trials], axis=0) for name in (OURS, EASE)
    )
    return ours, theirs


def _report_newcomers(
    console: Console, met: Mapping[str, Mapping[str, list[Judged]]], found: Intervals
) -> bool:
    table = _table("people no model has seen, a fifth at a time", "known of them", "model")
    for label, judged in met.items():
        for name in (POPULARITY, OURS):
            table.add_row(label, name, *_cells(judged[name]))
    console.print(table)
    good = True
    for label, judged in met.items():
        for measure in ("recall", "ndcg"):
            pair = _pooled(judged[OURS], measure), _pooled(judged[POPULARITY], measure)
            better = _print_difference(
                console, f"{label}: {OURS} − {POPULARITY}", measure, pair, found
            )
            # Of whom nothing is known, everybody's liking is all there is.
            good &= better or label == "0 courses"
    console.print(
        "0 courses: nothing is known of a newcomer, and the blend is popularity itself",
        highlight=False,
    )
    together = [
        np.concatenate([_pooled(judged[name], "ndcg") for judged in met.values()])
        for name in (OURS, POPULARITY)
    ]
    title = f"all of them: {OURS} − {POPULARITY}"
    return _print_difference(console, title, "ndcg", (together[0], together[1]), found) and good


def _pooled(judged: Sequence[Judged], measure: str) -> Values:
    return np.concatenate([getattr(j, measure) for j in judged])


def _print_difference(
    console: Console, what: str, measure: str, pair: tuple[Values, Values], found: Intervals
) -> bool:
    interval: Interval = paired_interval(*pair, seed=SEED)
    found[f"{what}, {measure}@10"] = [interval.mean, interval.low, interval.high]
    better = interval.low > 0
    mark = "[green]✓[/green]" if better else "[yellow]=[/yellow]"
    console.print(
        f"{mark} {what}, {measure}@10: {interval.mean:+.4f} "
        f"(95 % of bootstraps over people: {interval.low:+.4f} to {interval.high:+.4f})",
        highlight=False,
    )
    return better


def _table(title: str, *names: str) -> Table:
    table = Table(title=title)
    for name in names:
        table.add_column(name)
    for heading in ("Recall@10", "nDCG@10", "coverage", "novelty, bits"):
        table.add_column(heading, justify="right")
    return table


def _cells(judged: Sequence[Judged]) -> list[str]:
    return [
        f"{np.mean(values):.3f}"
        for values in (
            [j.recall.mean() for j in judged],
            [j.ndcg.mean() for j in judged],
            [j.coverage for j in judged],
            [j.novelty for j in judged],
        )
    ]
