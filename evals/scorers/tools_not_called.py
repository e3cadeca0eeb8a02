"""Scores whether tools that had no business here were left alone."""

from evals.evidence import Evidence
from evals.scenario import Expectations
from evals.score import Score, failed, passed


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade the calls that must not be made, whatever came of them."""
    called = {call.tool for call in seen.calls}
    wrong = [tool for tool in expect.tools_not_called or () if tool in called]
    if wrong:
        return failed(f"{', '.join(wrong)} called")
    return passed("none of them was called")
