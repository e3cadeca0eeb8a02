"""Whether a sentence repeats the agent's instructions, which are nobody's to read."""

import re
from functools import cache

from agents.runtime.guards.input import fold

#: So many words in a row do not come together by chance.
_IN_A_ROW = 8
_WORD = re.compile(r"\w+")

Runs = frozenset[tuple[str, ...]]


@cache
def runs_of(instructions: str) -> Runs:
    """Return every run of words by which the instructions are known again."""
    return frozenset(_runs(instructions))


def repeats(sentence: str, private: Runs) -> bool:
    """Return whether a sentence holds a run of the instructions' words."""
    return bool(private) and not private.isdisjoint(_runs(sentence))


def _runs(text: str) -> list[tuple[str, ...]]:
    words = _WORD.findall(fold(text))
    return [tuple(words[n : n + _IN_A_ROW]) for n in range(len(words) - _IN_A_ROW + 1)]
