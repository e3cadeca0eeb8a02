"""Corrections are judged as PostgreSQL judges them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.stores.elasticsearch.typos import best_correction, trigram_similarity
from retrieval.stores.terms import Correction


@pytest.mark.parametrize(
    ("one", "other", "similarity"),
    [
        # as `similarity()` of pg_trgm says
        ("asensor", "ascensor", 0.545455),
        ("word", "two", 0.0),
        ("beca", "becas", 0.571429),
        ("matricul", "matricul", 1.0),
        ("a", "b", 0.0),
    ],
)
def test_similarity_is_that_of_pg_trgm(one: str, other: str, similarity: float) -> None:
    assert trigram_similarity(one, other) == pytest.approx(similarity, abs=1e-6)


@given(st.text(min_size=1), st.text(min_size=1))
def test_similarity_is_symmetric_and_a_share(one: str, other: str) -> None:
    assert trigram_similarity(one, other) == trigram_similarity(other, one)
    assert 0 <= trigram_similarity(one, other) <= 1
    assert trigram_similarity(one, one) == 1


def option(text: str, freq: int) -> dict[str, object]:
    return {"text": text, "freq": freq, "score": 0.9}


def test_the_most_similar_is_meant_and_of_equals_the_commoner() -> None:
    options = [option("ascender", 90), option("ascensor", 2)]
    found = best_correction("asensor", options, least=0.4)
    assert found == Correction("ascensor", 2, pytest.approx(0.545, abs=1e-3))
    equals = [option("casa", 1), option("caso", 5)]
    chosen = best_correction("casx", equals, least=0.1)
    assert chosen is not None
    assert chosen.lexeme == "caso"


def test_what_is_too_far_or_occurs_nowhere_is_not_meant() -> None:
    assert best_correction("xyzw", [option("zapato", 9)], least=0.4) is None
    assert best_correction("asensor", [option("ascensor", 0)], least=0.4) is None
    assert best_correction("asensor", [], least=0.4) is None
