"""Scores whether the tools that were needed were called."""

from evals.evidence import Evidence
from evals.scenario import Expectations
from evals.score import Score, failed, passed


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade the calls that had to be made."""
    called = {call.tool for call in seen.calls}
    missing = [tool for tool in expect.tools_called or () if tool not in called]
    made = ", ".join(sorted(called)) or "nothing"
    if missing:
        return failed(f"{', '.join(missing)} not called; called: {made}")
    return passed(f"called: {made}")
