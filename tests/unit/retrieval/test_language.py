"""Telling Spanish from English, also where there is little to go by."""

import pytest

from retrieval.language import Detection, LanguageDetector
from retrieval.models import Language

detector = LanguageDetector()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("¿Cuánto cuesta el curso de Python y cuándo empieza?", "es"),
        ("cuanto cuesta el curso de python", "es"),
        ("quiero hablar con una persona", "es"),
        ("olvide mi contrasena del campus", "es"),
        ("What documents do I need for admission?", "en"),
        ("how long does a refund take", "en"),
        ("I was charged twice", "en"),
        ("ENROLMENT DEADLINE FOR THE NEXT COHORT", "en"),
        ("año", "es"),
        ("¿becas?", "es"),
    ],
)
def test_clear_texts_decide_for_themselves(text: str, language: Language) -> None:
    other: Language = "en" if language == "es" else "es"
    assert detector.detect(text, fallback=other) == Detection(language, certain=True)


@pytest.mark.parametrize("text", ["becas", "python", "Machine Learning", "refund", "ok", "42", ""])
@pytest.mark.parametrize("fallback", ["es", "en"])
def test_short_texts_take_the_conversations_language(text: str, fallback: Language) -> None:
    assert detector.detect(text, fallback=fallback) == Detection(fallback, certain=False)
