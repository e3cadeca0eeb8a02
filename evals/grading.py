"""Grades what happened in a scenario, stretch by stretch."""

from dataclasses import dataclass

from evals.evidence import Evidence
from evals.scenario import Scenario
from evals.score import Score, Verdict, overall
from evals.scorers import SCORERS


@dataclass(frozen=True, slots=True)
class Graded:
    """One score.

    Args:
        turn: which turn of the scenario, from 1; None for the whole conversation.
    """

    scorer: str
    turn: int | None
    score: Score


def grade(scenario: Scenario, turns: list[Evidence], whole: Evidence) -> list[Graded]:
    """Return every score that the scenario calls for.

    Args:
        turns: what happened in each turn.
        whole: what happened from the first to the last.
    """
    graded: list[Graded] = []
    for index, expect in scenario.stretches():
        seen = whole if index is None else turns[index]
        turn = None if index is None else index + 1
        graded += [
            Graded(scorer.name, turn, scorer.grade(expect, seen))
            for scorer in SCORERS
            if scorer.is_called_for(expect)
        ]
    return graded


def verdict_of(graded: list[Graded]) -> Verdict:
    """Return the verdict on a scenario."""
    return overall(g.score.verdict for g in graded)
