"""Which words of a question may belong to a title."""

from crm.courses.titles import title_words


def test_question_leaves_the_subject_alone() -> None:
    assert title_words("¿Cuánto cuesta el curso de Python y cuándo empieza?") == ("python",)
    assert title_words("When does the Digital Marketing course start?") == ("digital", "marketing")


def test_accents_and_case_are_folded_and_words_come_once() -> None:
    assert title_words("DISEÑO, diseño Gráfico") == ("diseno", "grafico")


def test_codes_and_names_with_signs_stay_whole() -> None:
    assert title_words("dat-101 o C++ o C#?") == ("dat-101", "c++", "c#")


def test_question_about_nothing_has_no_words() -> None:
    assert title_words("¿Qué cursos hay?") == ()
