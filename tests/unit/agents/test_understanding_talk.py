"""How students really write: abbreviated, wishing, two things at once, angry, in danger."""

import pytest

from agents.llm.offline.intents import Intent, Remembered
from agents.llm.offline.understanding import understand
from agents.runtime.brief import Locale


def understood(text: str, locale: Locale) -> tuple[Intent, ...]:
    return understand((text,), locale, Remembered())


@pytest.mark.parametrize(
    ("locale", "text", "topic"),
    [
        ("es", "kiero saber el precio d excel xfa", "excel"),
        ("es", "cuanto cuesta el d linux pls", "linux"),
        ("es", "ke precio tiene el curso d data science?", "data science"),
        ("en", "price of python pls", "python"),
        ("en", "hw much is the deep learning course n when does it start", "deep learning"),
        ("en", "when's the next intake for java?", "java"),
        ("en", "whats the cost of the linux course n how long is it", "linux"),
    ],
)
def test_chat_abbreviations_are_no_part_of_a_subject(locale: Locale, text: str, topic: str) -> None:
    (intent,) = understood(text, locale)
    assert (intent.name, intent.topic) == ("course_facts", topic)


@pytest.mark.parametrize(
    ("locale", "text", "topic", "level"),
    [
        ("es", "quiero aprender a dibujar pero no sé nada", "dibujar", "intro"),
        ("es", "¿qué puedo estudiar para ser enfermera?", "enfermera", ""),
        ("es", "me gustaría estudiar fotografía desde cero", "fotografia", "intro"),
        ("es", "¿enseñan buceo?", "buceo", ""),
        ("en", "what could I study to become a plumber", "plumber", ""),
        ("en", "I want to learn photography, complete beginner", "photography", "intro"),
        ("en", "do you teach pottery?", "pottery", ""),
    ],
)
def test_wish_to_learn_looks_for_a_course(
    locale: Locale, text: str, topic: str, level: str
) -> None:
    (intent,) = understood(text, locale)
    assert (intent.name, intent.wish) == ("course_search", True)
    assert topic in intent.topic.split()
    assert intent.filters.level == level


@pytest.mark.parametrize(
    ("locale", "text", "topics"),
    [
        ("es", "precio de python y excel?", ["python", "excel"]),
        ("es", "cuánto cuesta el de sql y también el de power bi", ["sql", "power bi"]),
        ("es", "¿cuándo empieza linux y java?", ["linux", "java"]),
        ("en", "how much are excel and python?", ["excel", "python"]),
        ("en", "cost of java as well as linux", ["java", "linux"]),
        ("en", "price of sql and also power bi?", ["sql", "power bi"]),
    ],
)
def test_two_courses_of_one_question_are_two(locale: Locale, text: str, topics: list[str]) -> None:
    intents = understood(text, locale)
    assert [i.name for i in intents] == ["course_facts"] * 2
    assert [i.topic for i in intents] == topics


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("es", "son unos inútiles, comuníquenme con alguien ya"),
        ("es", "qué asco de servicio. quiero hablar con una persona"),
        ("es", "nadie responde, son unos ladrones. pásenme con alguien"),
        ("en", "this is useless. get me someone now"),
        ("en", "you people are pathetic, put me through to someone"),
        ("en", "what a scam! let me talk to a human"),
    ],
)
def test_anger_does_not_hide_the_wish_for_a_person(locale: Locale, text: str) -> None:
    intents = understood(text, locale)
    assert [(i.name, i.upset) for i in intents] == [("hand_off", True)]


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("es", "un profesor me está acosando por whatsapp"),
        ("es", "mi compañero me amenazó en el campus, ¿qué hago?"),
        ("es", "ya no quiero vivir"),
        ("en", "a classmate keeps threatening me"),
        ("en", "I am being bullied in my class and want to drop the course"),
        ("en", "i want to kill myself"),
    ],
)
def test_danger_goes_before_everything_else(locale: Locale, text: str) -> None:
    assert [i.name for i in understood(text, locale)] == ["danger"]


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("es", "¿tienen cursos sobre amenazas informáticas?"),
        ("es", "¿me tocan los feriados?"),
        ("en", "does the security course cover threats and attacks?"),
        ("en", "what is your policy on bullying?"),
    ],
)
def test_talk_of_danger_is_none(locale: Locale, text: str) -> None:
    assert "danger" not in [i.name for i in understood(text, locale)]


@pytest.mark.parametrize(
    ("locale", "text", "matter"),
    [
        ("es", "¿puedes abrir un ticket? no me cargan los videos", "no me cargan"),
        ("es", "Me cobraron dos veces la cuota. Abre un ticket", "dos veces"),
        ("es", "¿me generas un reclamo por favor? el profesor nunca llegó", "nunca llegó"),
        ("en", "could you open a ticket? my recordings won't play", "recordings"),
        ("en", "I was charged twice for java. raise a ticket please", "charged twice"),
        ("en", "please log a ticket. the quiz closed by itself", "quiz closed"),
    ],
)
def test_neighbouring_sentence_is_what_the_ticket_is_about(
    locale: Locale, text: str, matter: str
) -> None:
    (intent,) = understood(text, locale)
    assert intent.name == "open_ticket"
    assert matter in intent.raw


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("es", "mi conexión es de 2 megas, ¿sirve para las clases en vivo?"),
        ("es", "ya aprobé el curso, ¿cuándo recibo mi certificado?"),
        ("es", "ya terminé, ¿cuánto demora mi constancia?"),
        ("en", "I finished the course, when do I get my certificate"),
        ("en", "my internet is slow, is it enough for live classes?"),
        ("en", "already paid the course, when does my receipt arrive"),
    ],
)
def test_own_affairs_are_no_facts_of_a_course(locale: Locale, text: str) -> None:
    assert {i.name for i in understood(text, locale)} == {"knowledge"}


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("es", "¿ofrecen pagos en cuotas?"),
        ("es", "quiero estudiar enfermería pero tengo 15 años, ¿puedo?"),
        ("en", "do you offer payment plans?"),
        ("en", "do you offer certificates?"),
    ],
)
def test_offer_that_is_no_subject_is_looked_up_in_the_rules(locale: Locale, text: str) -> None:
    assert [i.name for i in understood(text, locale)] == ["knowledge"]
