"""What a language's texts have in common does not decide between languages."""

import numpy as np
import pytest

from retrieval.centre import Centring
from retrieval.models import Language
from retrieval.stores.protocol import Centre

Matrix = np.ndarray


def normed(rows: Matrix) -> Matrix:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def corpus(seed: int) -> dict[Language, Matrix]:
    """Texts that share most of what they are with the others of their language."""
    draw = np.random.default_rng(seed)
    common = draw.normal(size=(2, 16)) * 3
    return {
        "es": normed(draw.normal(size=(40, 16)) + common[0]),
        "en": normed(draw.normal(size=(30, 16)) + common[1]),
    }


def seen_from(query: Matrix, texts: dict[Language, Matrix]) -> Centring:
    centres = {lang: rows.mean(axis=0) for lang, rows in texts.items()}
    return Centring(
        {
            lang: Centre(
                len(texts[lang]),
                float(query @ centre),
                {other: float(centre @ c) for other, c in centres.items()},
            )
            for lang, centre in centres.items()
        }
    )


def products(text: Matrix, texts: dict[Language, Matrix]) -> dict[Language, float]:
    return {lang: float(text @ rows.mean(axis=0)) for lang, rows in texts.items()}


def test_score_is_the_one_that_vectors_themselves_give() -> None:
    texts = corpus(1)
    query = normed(np.random.default_rng(2).normal(size=16))
    total = sum(map(len, texts.values()))
    common = sum(rows.sum(axis=0) for rows in texts.values()) / total
    for language, rows in texts.items():
        centre = (len(rows) * rows.mean(axis=0) + common) / (len(rows) + 1)
        away = rows[3] - centre
        expected = (query - 0.75 * centre) @ away / np.linalg.norm(away)
        score = seen_from(query, texts).score(
            language, float(query @ rows[3]), products(rows[3], texts)
        )
        assert score == pytest.approx(float(expected), abs=1e-6)


def test_question_finds_its_text_in_the_other_language() -> None:
    texts = corpus(3)
    meant = texts["en"][5]
    own_part = meant - texts["en"].mean(axis=0)
    query = normed(texts["es"].mean(axis=0) + 3 * own_part)
    centring = seen_from(query, texts)
    scores = {
        (lang, n): centring.score(lang, float(query @ row), products(row, texts))
        for lang, rows in texts.items()
        for n, row in enumerate(rows)
    }
    plain = {
        (lang, n): float(query @ r) for lang, rows in texts.items() for n, r in enumerate(rows)
    }
    assert max(scores, key=lambda k: scores[k]) == ("en", 5)
    assert max(plain, key=lambda k: plain[k])[0] == "es"


def test_a_corpus_of_one_text_and_one_without_vectors_have_scores() -> None:
    alone = {"es": corpus(4)["es"][:1]}
    text = alone["es"][0]
    centring = seen_from(text, alone)  # type: ignore[arg-type]
    assert abs(centring.score("es", 1.0, products(text, alone))) < 1  # type: ignore[arg-type]
    assert centring.score("es", 0.7, {}) == 0.7
    assert Centring({}).score("en", 0.6, {"es": 0.5}) == 0.6
