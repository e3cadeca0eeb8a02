"""Scores whether every run came to a regular end and something was said."""

from evals.evidence import Evidence
from evals.scenario import Expectations
from evals.score import Score, failed, passed

_REGULAR = frozenset({"completed", "waiting"})


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade the ends of the runs."""
    broken = [status for status in seen.runs if status not in _REGULAR]
    if broken:
        return failed(f"a run ended {broken[0]}")
    if not seen.replies and expect.replies is None:
        return failed("nothing was said")
    return passed(f"{len(seen.runs)} runs, all to a regular end")
