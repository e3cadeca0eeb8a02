"""Scores how often the agent spoke: a burst gets one reply."""

from evals.evidence import Evidence
from evals.scenario import Expectations
from evals.score import Score, failed, passed


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade the number of messages."""
    count = len(seen.replies)
    if count != expect.replies:
        return failed(f"{count} replies, not {expect.replies}")
    return passed(f"{count} replies")
