"""Scores how long the replies are."""

from evals.evidence import Evidence
from evals.scenario import Expectations
from evals.score import Score, failed, passed


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade the longest reply, in words."""
    longest = max((len(reply.text.split()) for reply in seen.replies), default=0)
    if expect.max_words is not None and longest > expect.max_words:
        return failed(f"{longest} words, more than {expect.max_words}")
    return passed(f"{longest} words")
