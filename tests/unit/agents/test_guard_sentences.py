"""A stream is cut into sentences without losing a character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.guards.sentences import SentenceStream, sentences_of

words = st.sampled_from(
    ["Hola", "cuesta", "USD 1,200.50", "p. m.", "El", "Dr.", "¿Sí?", "[[s1]]", ".", "\n", " ", "…"]
)
texts = st.one_of(st.text(max_size=120), st.lists(words, max_size=30).map(" ".join))


@given(texts)
def test_sentences_joined_are_the_text(text: str) -> None:
    assert "".join(sentences_of(text)) == text


@given(texts, st.lists(st.integers(min_value=1, max_value=9), max_size=40))
def test_pieces_of_any_size_give_the_same_sentences(text: str, sizes: list[int]) -> None:
    stream, rest, found = SentenceStream(), text, list[str]()
    for size in sizes:
        found += stream.feed(rest[:size])
        rest = rest[size:]
    found += [*stream.feed(rest), *stream.close()]
    assert found == sentences_of(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cuesta USD 1,200.50. Empieza pronto.", ["Cuesta USD 1,200.50. ", "Empieza pronto."]),
        ("El Dr. Pérez atiende a las 3 p. m. del lunes. ¿Vienes?", 2),
        ("¿Quieres saber más? ¡Claro! Dime.", 3),
        ("Según «Reglas»: «Hay 7 días. Luego no.» [[kb-1]] ¿Algo más?", 3),
        ("Listo. [[s1]] [[s2]] Sigue.", ["Listo. [[s1]] [[s2]] ", "Sigue."]),
        ("- Uno\n- Dos\n\n¿Otro?", ["- Uno\n", "- Dos\n\n", "¿Otro?"]),
        ("It starts at 7 p.m. on Monday. Fine.", 2),
        ("Espera... no sé. Bien.", 2),
        ("Es el art. 5 del reglamento. Fin.", 2),
        ("¿Te interesa? No. Sí.", 3),
        ("En ee. uu. no aplica.", 1),
    ],
)
def test_sentence_ends_where_a_reader_would_end_it(text: str, expected: list[str] | int) -> None:
    found = sentences_of(text)
    assert (found if isinstance(expected, list) else len(found)) == expected


def test_nothing_is_given_until_it_is_surely_whole() -> None:
    stream = SentenceStream()
    assert stream.feed("Cuesta USD 1.") == []
    assert stream.feed("200. ") == []
    assert stream.feed("[[s") == []
    assert stream.feed("1]] Em") == ["Cuesta USD 1.200. [[s1]] "]
    assert stream.close() == ["Em"]
