"""What people type, and the names of headings."""

from hypothesis import given
from hypothesis import strategies as st

from retrieval.text import Anchors, content_words, fold, normalise_query


def test_queries_are_composed_trimmed_and_cut() -> None:
    assert normalise_query("  ¿Cua\u0301nto\n\tcuesta? \x00") == "¿Cuánto cuesta?"
    assert len(normalise_query("a" * 5_000)) == 1_000


@given(st.text(max_size=300))
def test_normalised_queries_are_stable_and_can_be_stored(text: str) -> None:
    once = normalise_query(text)
    assert normalise_query(once) == once
    assert "\x00" not in once
    once.encode("utf-8")


def test_words_of_asking_are_left_out() -> None:
    assert content_words("Hola, ¿cuánto cuesta el curso de Python?") == "cuesta el curso de Python"
    assert content_words("¿cómo?") == "¿cómo?"


def test_folding_takes_accents_and_case_away() -> None:
    assert fold("ÑANDÚ Año") == "nandu ano"


@given(st.lists(st.text(max_size=12), max_size=20))
def test_anchors_are_unique_and_fit_for_a_url(headings: list[str]) -> None:
    anchors = Anchors()
    names = [anchors.name(h) for h in headings]
    assert len(set(names)) == len(names)
    assert all(n and n == n.lower() and n.replace("-", "").isalnum() and n.isascii() for n in names)


def test_a_counted_anchor_never_takes_the_name_of_a_real_heading() -> None:
    anchors = Anchors()
    assert [anchors.name(h) for h in ("A", "A 2", "A")] == ["a", "a-2", "a-3"]
