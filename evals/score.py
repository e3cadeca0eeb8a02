"""Scores: a verdict with its explanation."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a grading ended; what could not be graded is neither passed nor failed."""

    PASSED = "passed"
    FAILED = "failed"
    UNSCORED = "unscored"


@dataclass(frozen=True, slots=True)
class Score:
    """What one scorer says of one stretch of a conversation."""

    verdict: Verdict
    explanation: str


def passed(explanation: str) -> Score:
    """Return that it is as expected."""
    return Score(Verdict.PASSED, explanation)


def failed(explanation: str) -> Score:
    """Return that it is not as expected."""
    return Score(Verdict.FAILED, explanation)


def unscored(explanation: str) -> Score:
    """Return that nobody can tell."""
    return Score(Verdict.UNSCORED, explanation)


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on the whole: it passed only if everything was graded and passed."""
    found = set(verdicts)
    if Verdict.FAILED in found:
        return Verdict.FAILED
    if Verdict.UNSCORED in found or not found:
        return Verdict.UNSCORED
    return Verdict.PASSED
