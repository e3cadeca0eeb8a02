"""Highlights: the words that were asked for and the sentence that holds most of them."""

from hypothesis import given
from hypothesis import strategies as st

from retrieval.highlight import highlight
from retrieval.models import Language
from tests.unit.retrieval.hits import hit

TEXT = (
    "Puedes retirarte cuando quieras. La devolución se hace en diez días hábiles por el mismo"
    " medio. Las becas vuelven a su fondo."
)


def marked(query: str, text: str, *, language: Language = "es", of: Language = "es") -> list[str]:
    (found,) = highlight(query, [hit(text, language=of)], language=language)
    return [span.of(text) for span in found.words]


def answer(query: str, text: str, *, language: Language = "es", of: Language = "es") -> str | None:
    (found,) = highlight(query, [hit(text, language=of)], language=language)
    return found.sentence.of(text) if found.sentence else None


def test_other_forms_of_a_word_are_marked_and_words_of_asking_are_not() -> None:
    assert marked("¿Cuánto tardan las devoluciones?", TEXT) == ["devolución"]
    assert marked("matricular", "La matrícula; el matrimonio.") == ["matrícula"]


def test_the_sentence_that_holds_most_is_the_answer() -> None:
    assert answer("¿En cuántos días hábiles hacen la devolución?", TEXT) == (
        "La devolución se hace en diez días hábiles por el mismo medio."
    )


def test_what_documents_call_it_is_marked_in_both_languages() -> None:
    assert marked("when do I get my money refunded, refund", TEXT, language="en") == ["devolución"]
    assert marked("¿hay becas?", "A grant covers it.", of="en") == ["grant"]


def test_a_passage_without_any_of_the_words_has_no_highlight() -> None:
    (found,) = highlight("parqueo", [hit(TEXT)], language="es")
    assert (found.words, found.sentence) == ((), None)


def test_rare_words_count_for_more_than_those_of_every_passage() -> None:
    first = "El curso empieza el lunes. El curso de curso en curso exige laboratorio."
    others = [hit(first), *(hit(f"El curso {n} empieza.", chunk_id=n) for n in range(9))]
    found = highlight("curso laboratorio", others, language="es")[0]
    assert found.sentence is not None
    assert found.sentence.of(first).endswith("laboratorio.")


def test_figures_are_marked_only_when_they_are_the_same() -> None:
    assert marked("resolución 20241", "Resolución 20242 y 20241.") == ["Resolución", "20241"]


@given(st.text(max_size=80), st.text(max_size=200))
def test_places_are_those_of_the_text(query: str, text: str) -> None:
    (found,) = highlight(query, [hit(text)], language="es")
    last = 0
    for span in found.words:
        assert last <= span.start < span.end <= len(text)
        last = span.end
    if found.sentence is not None:
        assert any(found.sentence.start <= w.start < found.sentence.end for w in found.words)
