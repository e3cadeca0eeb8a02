"""The wish for advice is understood as it is typed, and so are the answers to our questions."""

import pytest

from agents.llm.offline.advice import advice_arguments
from agents.llm.offline.intents import Intent, Remembered
from agents.llm.offline.need import Need
from agents.llm.offline.reading import Conversation
from agents.llm.offline.understanding import understand
from agents.runtime.brief import Locale
from agents.supervisor.table import agent_for

NOTHING = Remembered()
SHOWN = Remembered(
    courses=(
        {"code": "MKT-120", "title": "Diseño gráfico desde cero"},
        {"code": "MKT-220", "title": "Marketing digital"},
        {"code": "DAT-101", "title": "Excel para la gestión"},
    ),
    open_task="recommend",
    subject="rest",
    advice={"goal": "diseno"},
)
ASKED = Remembered(open_task="recommend", subject="goal")


def understood(text: str, locale: Locale, remembered: Remembered = NOTHING) -> list[Intent]:
    return list(understand([text], locale, remembered))


def asked_for(text: str, locale: Locale, remembered: Remembered = NOTHING) -> dict[str, object]:
    (intent,) = understood(text, locale, remembered)
    assert intent.name == "recommend", intent
    turn = Conversation(
        locale=locale,
        now="2026-11-24T10:00:00-05:00",
        institution="Instituto Andino",
        identity_level="visitor",
        status="agent",
        pending=None,
        remembered=remembered,
        new=(text,),
        results=(),
    )
    return advice_arguments(Need(0, intent, turn))


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("es", "qué curso me recomiendas"),
        ("es", "no sé qué estudiar"),
        ("es", "nse q curso elegir ayudame"),
        ("es", "hola, ¿me ayudas a escoger un curso?"),
        ("es", "qué me aconsejas"),
        ("es", "oriéntame porfa"),
        ("en", "what course do you recommend"),
        ("en", "i don't know what to study"),
        ("en", "can you help me choose a course?"),
        ("en", "not sure which course to take"),
        ("en", "what should i study"),
    ],
)
def test_wish_for_advice_without_a_goal(locale: Locale, text: str) -> None:
    assert asked_for(text, locale) == {}


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        (
            "en",
            "I don't know what to study, I like design and have evenings free",
            {"goal": "design", "part_of_day": "evening"},
        ),
        (
            "es",
            "No sé qué estudiar. Me gusta el diseño. Tengo libres las noches",
            {"goal": "diseno", "part_of_day": "evening"},
        ),
        (
            "es",
            "recomiéndame algo de marketing los sábados, hasta 100 dólares",
            {"goal": "marketing", "days": ["sat"], "budget_minor": 10_000},
        ),
        (
            "es",
            "qué me recomiendas de datos en línea los martes y jueves?",
            {"goal": "datos", "days": ["tue", "thu"], "modality": "online"},
        ),
        (
            "en",
            "recommend me something about photography on weekends, budget of 80",
            {"goal": "photography", "days": ["sat", "sun"], "budget_minor": 8_000},
        ),
    ],
)
def test_what_is_said_of_goal_time_and_budget_is_taken(
    locale: Locale, text: str, expected: dict[str, object]
) -> None:
    assert asked_for(text, locale) == expected


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        ("es", "diseño", {"goal": "diseno"}),
        ("es", "me gusta la fotografía y trabajar con gente", {"goal": "fotografia"}),
        ("es", "ni idea", {}),
        ("en", "cooking and wine", {"goal": "cooking wine"}),
        ("en", "whatever", {"goal": "whatever"}),
    ],
)
def test_answer_to_what_one_likes_is_a_goal(
    locale: Locale, text: str, expected: dict[str, object]
) -> None:
    assert asked_for(text, locale, ASKED) == expected


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        ("es", "por las noches, y no más de 150 dólares", ("evening", 15_000)),
        ("es", "solo en las mañanas", ("morning", None)),
        ("en", "evenings, up to 120", ("evening", 12_000)),
    ],
)
def test_answer_about_time_and_budget_adds_to_the_goal(
    locale: Locale, text: str, expected: tuple[str, int | None]
) -> None:
    found = asked_for(text, locale, SHOWN)
    assert found["goal"] == "diseno"
    assert (found.get("part_of_day"), found.get("budget_minor")) == expected


@pytest.mark.parametrize(
    ("locale", "text", "code"),
    [
        ("es", "no me interesa el segundo", "MKT-220"),
        ("es", "el primero no me convence", "MKT-120"),
        ("es", "no quiero el de excel", ""),
        ("en", "not interested in the third one", "DAT-101"),
    ],
)
def test_turning_a_course_down(locale: Locale, text: str, code: str) -> None:
    (intent,) = understood(text, locale, SHOWN)
    assert (intent.name, intent.code) == ("dismiss", code)
    assert code or intent.topic == "excel"


@pytest.mark.parametrize(
    ("locale", "text", "topic"),
    [
        ("es", "¿por qué no me recomendaste contabilidad?", "contabilidad"),
        ("es", "y por qué no el de marketing?", "marketing"),
        ("en", "why didn't you suggest accounting?", "accounting"),
        ("en", "why not the marketing course?", "marketing"),
    ],
)
def test_why_not_another(locale: Locale, text: str, topic: str) -> None:
    (intent,) = understood(text, locale, SHOWN)
    assert (intent.name, intent.topic) == ("why_not", topic)


@pytest.mark.parametrize(
    ("locale", "text", "name"),
    [
        ("es", "¿me recomiendas un restaurante?", "out_of_scope"),
        ("es", "quiero hablar con una persona", "hand_off"),
        ("es", "¿cuánto debo?", "my_payments"),
        ("es", "¿cuánto cuesta el segundo?", "course_facts"),
        ("en", "what's the refund policy?", "knowledge"),
        ("en", "enrol me in the first one", "enrol"),
    ],
)
def test_something_else_is_no_answer_to_our_question(locale: Locale, text: str, name: str) -> None:
    assert [i.name for i in understood(text, locale, SHOWN)] == [name]


def test_nothing_is_turned_down_before_anything_was_suggested() -> None:
    assert [i.name for i in understood("no me interesa el segundo", "es")] != ["dismiss"]


def test_advice_alone_is_the_advisers_and_beside_something_else_student_supports() -> None:
    assert agent_for({"recommend"}).name == "course_recommendation"
    assert agent_for({"why_not", "dismiss"}).name == "course_recommendation"
    assert agent_for({"recommend", "my_payments"}).name == "student_support"
    assert agent_for(()).name == "student_support"
