"""Scores what became of the last call that needed consent."""

from evals.evidence import Evidence
from evals.scenario import Confirmation, Expectations
from evals.score import Score, failed, passed


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade where the confirmation stands."""
    stands = standing(seen)
    if expect.confirmation is not None and stands != expect.confirmation:
        return failed(f"the confirmation is {stands}, not {expect.confirmation}")
    return passed(f"the confirmation is {stands}")


def standing(seen: Evidence) -> Confirmation | str:
    """Return where the last confirmation stands, in the words of expectations."""
    if not seen.confirmations:
        return "none"
    last = seen.confirmations[-1]
    return "asked" if last == "pending" else last
