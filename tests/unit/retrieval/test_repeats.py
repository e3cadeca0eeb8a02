"""Passages that say the same: shown once, unless a figure differs."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from retrieval.repeats import drop_repeats
from tests.unit.retrieval.hits import hit

RULE = "Quien se retira antes del inicio del curso recibe el {} % de lo pagado por el mismo medio."


def kept(*texts: str, limit: int = 5) -> list[str]:
    hits = [hit(text, slug=f"s{n}", chunk_id=n) for n, text in enumerate(texts)]
    return [h.text for h in drop_repeats(hits, limit=limit)]


def test_a_copy_in_another_document_is_dropped_and_the_better_one_stays() -> None:
    copy = (
        "QUIEN se retira antes del inicio del curso: recibe el 80 % de lo pagado por el mismo medio"
    )
    assert kept(RULE.format(80), copy, "Otra cosa.") == [RULE.format(80), "Otra cosa."]


def test_another_figure_is_another_rule() -> None:
    assert kept(RULE.format(80), RULE.format(50)) == [RULE.format(80), RULE.format(50)]


def test_one_word_makes_another_rule_however_long_it_is() -> None:
    rule = f"{RULE.format(80)} {'Vale para todos los cursos y programas de la institución. ' * 9}"
    assert len(kept(rule, rule.replace("recibe", "no recibe"))) == 2


def test_another_order_of_the_words_stays() -> None:
    assert len(kept("El tutor avisa a la familia.", "La familia avisa a el tutor.")) == 2


def test_the_same_words_of_another_article_stay() -> None:
    first, second = (
        replace(hit(RULE, slug=name), heading_path=("Norma", f"Artículo {name}. Matrícula"))
        for name in ("22", "26")
    )
    assert drop_repeats([first, second], limit=5) == [first, second]


def test_a_passage_that_says_more_stays() -> None:
    longer = f"{RULE.format(80)} Las becas vuelven a su fondo y no se entregan a nadie."
    assert kept(RULE.format(80), longer) == [RULE.format(80), longer]


def test_a_translation_stays() -> None:
    same = [hit("ok", language="es"), hit("ok", language="en")]
    assert drop_repeats(same, limit=5) == same


def test_what_is_dropped_makes_room() -> None:
    assert kept("uno", "uno", "dos", "tres", limit=2) == ["uno", "dos"]


@given(st.lists(st.text(alphabet="ab 1", max_size=12), max_size=8), st.integers(1, 5))
def test_what_is_kept_is_in_order_within_the_limit_and_never_twice(
    texts: list[str], limit: int
) -> None:
    found = kept(*texts, limit=limit)
    assert len(found) <= limit
    assert found == list(dict.fromkeys(found))
    places = [texts.index(text) for text in found]
    assert places == sorted(places)
