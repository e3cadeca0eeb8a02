"""Fusion: one order from words and meaning, within and across languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.fuse import (
    Candidate,
    Ranked,
    fuse,
    join_evidence,
    limit_per_document,
    prefer_language,
    shrink_centres,
)
from retrieval.models import Language
from retrieval.stores.protocol import Centre, Match


def candidate(
    chunk_id: int,
    *,
    dense: float | None = None,
    words: float | None = None,
    language: Language = "es",
    slug: str | None = None,
) -> Candidate:
    name = slug or f"s{chunk_id}"
    return Candidate(chunk_id, f"{name}:{language}", name, language, dense=dense, words=words)


def order(ranked: list[Ranked]) -> list[int]:
    return [r.candidate.chunk_id for r in ranked]


def test_words_decide_between_chunks_that_are_equally_near() -> None:
    found = fuse(
        [candidate(1, dense=0.8), candidate(2, dense=0.8, words=4), candidate(3, dense=0.1)], {"es"}
    )
    assert order(found) == [2, 1, 3]


def test_meaning_outweighs_words() -> None:
    found = fuse([candidate(1, dense=0.9), candidate(2, dense=0.1, words=9)], {"es"})
    assert order(found) == [1, 2]


def test_across_languages_missing_words_do_not_count_against_a_chunk() -> None:
    found = fuse(
        [
            candidate(1, dense=0.9, language="en"),
            candidate(2, dense=0.6, words=2),
            candidate(3, dense=0.1),
        ],
        {"es"},
    )
    assert order(found) == [1, 2, 3]


def test_a_chunk_without_a_vector_is_judged_by_its_words() -> None:
    found = fuse(
        [candidate(1, words=8), candidate(2, dense=0.9, words=1), candidate(3, dense=0.2)], {"es"}
    )
    assert order(found)[0] == 1


def test_without_any_words_meaning_alone_scores() -> None:
    found = fuse([candidate(1, dense=0.5), candidate(2, dense=0.4)], {"es"})
    assert found[0].score == pytest.approx(1.0)


def test_words_of_another_language_count_half_when_there_are_no_vectors() -> None:
    found = fuse([candidate(1, words=4, language="en"), candidate(2, words=3)], {"es"})
    assert order(found) == [2, 1]


def test_a_document_with_several_near_chunks_beats_a_lonely_one() -> None:
    found = fuse(
        [
            candidate(1, dense=0.80),
            candidate(2, dense=0.79, slug="whole"),
            candidate(3, dense=0.78, slug="whole"),
            candidate(4, dense=0.77, slug="whole"),
            candidate(5, dense=0.10),
            candidate(6, dense=0.10, slug="s1"),
            candidate(7, dense=0.10, slug="s1"),
        ],
        {"es"},
    )
    assert order(found)[0] == 2


MAYBE = st.one_of(st.none(), st.floats(-1, 1))
CANDIDATES = st.lists(
    st.tuples(MAYBE, st.one_of(st.none(), st.floats(0, 30)), st.sampled_from(["es", "en"])),
    max_size=12,
).map(
    lambda rows: [
        candidate(i, dense=d, words=w, language=lang)  # type: ignore[arg-type]
        for i, (d, w, lang) in enumerate(rows)
    ]
)


@given(CANDIDATES)
def test_scores_are_between_0_and_1_and_ordered(candidates: list[Candidate]) -> None:
    found = fuse(candidates, {"es"})
    scores = [r.score for r in found]
    assert sorted(order(found)) == [c.chunk_id for c in candidates]
    assert all(0 <= s <= 1 + 1e-9 for s in scores)
    assert scores == sorted(scores, reverse=True)


def test_evidence_of_both_kinds_is_joined_and_the_centre_taken_away() -> None:
    words = [Match(1, "d1", "a", "es", 3.0, 0.5)]
    near = [Match(1, "d1", "a", "es", 0.8), Match(2, "d2", "b", "en", 0.9)]
    one, two = sorted(join_evidence(words, near, {"es": 0.5, "en": 0.7}), key=lambda c: c.chunk_id)
    assert (one.words, one.coverage, one.dense) == (3.0, 0.5, pytest.approx(0.3))
    assert (two.words, two.dense) == (None, pytest.approx(0.2))


def test_the_centre_of_a_large_corpus_is_its_own_and_of_a_tiny_one_half_the_common() -> None:
    large = shrink_centres({"es": Centre(10_000, 0.9), "en": Centre(10_000, 0.5)})
    assert large["es"] == pytest.approx(0.9, abs=0.001)
    small = shrink_centres({"es": Centre(1, 0.9), "en": Centre(1, 0.5)})
    assert small["es"] == pytest.approx(0.8)
    assert shrink_centres({}) == {}


def test_the_text_in_the_readers_language_takes_its_translations_place() -> None:
    ranked = [
        Ranked(candidate(1, language="en", slug="refunds"), 0.9),
        Ranked(candidate(2, slug="other"), 0.8),
        Ranked(candidate(3, slug="refunds"), 0.6),
        Ranked(candidate(4, slug="refunds"), 0.5),
    ]
    found = prefer_language(ranked, "es")
    assert order(found) == [3, 2, 4]
    assert found[0].score == 0.9


def test_a_translation_that_lacks_the_answer_does_not_hide_it() -> None:
    ranked = [
        Ranked(candidate(1, language="en", slug="refunds"), 0.9),
        Ranked(candidate(2, slug="refunds"), 0.2),
    ]
    assert order(prefer_language(ranked, "es")) == [1, 2]


def test_one_document_does_not_fill_the_result() -> None:
    ranked = [Ranked(candidate(i, slug="long"), 1 - i / 10) for i in range(5)]
    ranked.append(Ranked(candidate(9), 0.1))
    assert order(limit_per_document(ranked, 2)) == [0, 1, 9]
