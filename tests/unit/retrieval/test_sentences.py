"""Sentences: where they end, and that nothing is lost between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.sentences import sentence_spans, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Paga hoy. Luego espera.", ["Paga hoy.", "Luego espera."]),
        ("Según el art. 5 procede. Fin", ["Según el art. 5 procede.", "Fin"]),
        ("uno\ndos\n", ["uno", "dos"]),
        ("véase el art.\n5 siguiente", ["véase el art. 5 siguiente"]),
        ("Termina en el art.", ["Termina en el art."]),
        ("", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, sentences: list[str]) -> None:
    assert list(split_sentences(text)) == sentences


@given(st.text(alphabet="aA. \n!art"))
def test_spans_are_in_order_and_only_spaces_stand_between_them(text: str) -> None:
    covered, last = [False] * len(text), 0
    for span in sentence_spans(text):
        assert last <= span.start < span.end
        last = span.end
        covered[span.start : span.end] = [True] * (span.end - span.start)
    assert all(c or text[n].isspace() for n, c in enumerate(covered))
