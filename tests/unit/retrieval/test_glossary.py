"""What people ask for is put into the words that documents use."""

import pytest

from retrieval.glossary import other_words


def test_english_is_put_into_spanish() -> None:
    found = other_words("how many credits is a bachelor", "en", "es")
    assert set(found.text.split()) == {"credito", "grado", "titulo"}
    assert found.share == 1.0


def test_plain_speech_is_put_into_a_documents_words() -> None:
    assert "profesor" in other_words("mi profe no viene", "es", "es").text
    assert "trabajo" in other_words("tengo curro por las tardes", "es", "es").text


def test_several_words_are_one_name() -> None:
    assert "antiguo alumno" in other_words("a former student asks", "en", "es").text
    assert "guia docente" in other_words("where is the syllabus", "en", "es").text


@pytest.mark.parametrize("query", ["", "¿?", "zyzzyva quux", "receta de tortilla"])
def test_what_it_does_not_know_it_leaves(query: str) -> None:
    found = other_words(query, "es", "en")
    assert (found.text, found.share) == ("", 0.0)


def test_share_says_how_much_of_the_query_is_known() -> None:
    little = other_words("exam zyzzyva quux wibble wobble plugh", "en", "es")
    assert 0 < little.share < other_words("exam grades", "en", "es").share == 1.0
