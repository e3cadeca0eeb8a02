"""Fusion: one order from words and meaning, within and across languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.centre import Centring
from retrieval.fuse import (
    Candidate,
    Ranked,
    fuse,
    join_evidence,
    limit_repeats,
    prefer_language,
)
from retrieval.models import Language
from retrieval.stores.protocol import Match, Trait


def candidate(
    chunk_id: int,
    *,
    dense: float | None = None,
    words: float | None = None,
    language: Language = "es",
    slug: str | None = None,
    section: str = "a",
    coverage: float = 1.0,
) -> Candidate:
    name = slug or f"s{chunk_id}"
    return Candidate(
        chunk_id,
        f"{name}:{language}",
        name,
        language,
        section,
        dense=dense,
        words=words,
        coverage=coverage if words is not None else 0.0,
    )


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


def test_words_of_a_foreign_language_order_it_and_do_not_prefer_it() -> None:
    plain = [
        candidate(1, dense=0.80, language="en"),
        candidate(2, dense=0.78, language="en", words=9),
        candidate(3, dense=0.81),
        candidate(4, dense=0.10),
    ]
    assert order(fuse(plain, {"es"})) == [3, 2, 1, 4]


def test_what_a_glossary_translates_counts_more_than_names() -> None:
    found = [
        candidate(1, dense=0.9, language="en", words=1),
        candidate(2, dense=0.6, language="en", words=9),
        candidate(3, dense=0.1, language="en"),
    ]
    assert order(fuse(found, {"es"})) == [1, 2, 3]
    assert order(fuse(found, {"es"}, understood=1.0)) == [2, 1, 3]


def test_words_that_cover_little_of_the_query_count_little() -> None:
    near, matching = candidate(1, dense=0.8), candidate(2, dense=0.7, words=3, coverage=0.03)
    last = candidate(3, dense=0.1)
    assert order(fuse([near, matching, last], {"es"})) == [1, 2, 3]
    covered = candidate(2, dense=0.7, words=3)
    assert order(fuse([near, covered, last], {"es"})) == [2, 1, 3]


def test_evidence_of_both_kinds_is_joined() -> None:
    words = [Match(1, "d1", "a", "es", 3.0, 0.5)]
    near = [Match(1, "d1", "a", "es", 0.8), Match(2, "d2", "b", "en", 0.9)]
    traits = {1: Trait("fees"), 2: Trait("")}
    joined = join_evidence(words, near, centring=Centring({}), traits=traits)
    one, two = sorted(joined, key=lambda c: c.chunk_id)
    assert (one.words, one.coverage, one.dense, one.section) == (3.0, 0.5, 0.8, "fees")
    assert (two.words, two.dense, two.section) == (None, 0.9, "")


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


def test_one_section_is_found_once_and_a_course_once() -> None:
    ranked = [
        Ranked(candidate(i, slug="long", section=s), 1 - i / 10) for i, s in enumerate("aabbc")
    ]
    ranked.append(Ranked(candidate(9), 0.1))
    assert order(limit_repeats(ranked, whole_documents=False)) == [0, 2, 4, 9]
    assert order(limit_repeats(ranked, whole_documents=True)) == [0, 9]


def test_text_without_headings_may_be_found_in_several_places() -> None:
    ranked = [Ranked(candidate(i, slug="long", section=""), 1 - i / 10) for i in range(5)]
    assert order(limit_repeats(ranked, whole_documents=False)) == [0, 1, 2]
