"""Scores what the replies say, word for word."""

from evals.evidence import Evidence
from evals.phrases import first_found
from evals.scenario import Expectations
from evals.score import Score, failed, passed


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade the words that must and must not be there; case and accents do not matter."""
    text = "\n".join(reply.text for reply in seen.replies)
    wrong = first_found(text, expect.contains_none or ())
    if wrong is not None:
        return failed(f"says “{wrong}”, which it must not")
    if expect.contains_any is None:
        return passed("says none of what it must not")
    found = first_found(text, expect.contains_any)
    if found is None:
        return failed(f"says none of: {' | '.join(expect.contains_any)}")
    return passed(f"says “{found}”")
