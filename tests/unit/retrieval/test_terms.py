"""Weighing the words of a query."""

import pytest

from retrieval.stores.terms import Correction, rarest_within, tsquery, weigh_terms


def test_rare_words_weigh_more_and_shares_add_up_to_the_whole() -> None:
    common, rare = weigh_terms({"curs": 90, "beca": 2}, {}, total=100)
    assert rare.weight > common.weight
    assert common.share + rare.share == pytest.approx(1)


def test_an_unknown_word_lowers_what_the_others_cover() -> None:
    (known,) = weigh_terms({"beca": 2, "xyzw": 0}, {}, total=100)
    assert known.share < 0.5


def test_a_typo_counts_as_what_it_resembles_but_less() -> None:
    (meant,) = weigh_terms({"pyton": 0}, {"pyton": Correction("python", 4, 0.5)}, total=100)
    (exact,) = weigh_terms({"python": 4}, {}, total=100)
    assert meant.lexeme == "python"
    assert meant.weight == pytest.approx(exact.weight / 2)
    assert meant.share == pytest.approx(0.5)


def test_the_rarest_words_are_looked_for_first_up_to_a_cap() -> None:
    terms = weigh_terms({"a": 900, "b": 30, "c": 60}, {}, total=1_000)
    assert [t.lexeme for t in rarest_within(terms, 100)] == ["b", "c"]
    assert [t.lexeme for t in rarest_within(terms, 10)] == ["b"]
    assert rarest_within([], 10) == []


def test_lexemes_are_quoted_not_parsed() -> None:
    assert tsquery(["a'b", "c\\d & !e"], "|") == "'a''b' | 'c\\\\d & !e'"
