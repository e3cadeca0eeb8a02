"""Scores how many tickets exist in the end."""

from evals.evidence import Evidence
from evals.scenario import Expectations
from evals.score import Score, failed, passed


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade the tickets of the conversation, as the database has them."""
    count = len(seen.tickets)
    if count != expect.tickets:
        return failed(f"{count} tickets, not {expect.tickets}")
    return passed(f"{count} tickets")
