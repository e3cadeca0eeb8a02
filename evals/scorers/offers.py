"""Scores the hints for the channel, e.g. to verify one's identity."""

from evals.evidence import Evidence
from evals.scenario import Expectations
from evals.score import Score, failed, passed


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade the hints that had to be given."""
    missing = [hint for hint in expect.offers or () if hint not in seen.hints]
    given = ", ".join(sorted(seen.hints)) or "nothing"
    if missing:
        return failed(f"{', '.join(missing)} not offered; offered: {given}")
    return passed(f"offered: {given}")
