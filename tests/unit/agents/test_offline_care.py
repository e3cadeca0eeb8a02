"""Whole turns that need more than a lookup: danger, anger, two courses, a wish, a ticket."""

from typing import Any

import pytest

from tests.unit.agents.institution import FakeTools
from tests.unit.agents.scripted import Answer, Talk


async def asked(locale: str, text: str) -> tuple[Answer, list[tuple[str, Any]]]:
    tools = FakeTools(locale)
    return await Talk(locale=locale, tools=tools).say(text), tools.calls


@pytest.mark.parametrize(
    ("locale", "text", "detail", "care"),
    [
        ("es", "mi profesor me acosa por mensajes", "profesor", "Siento mucho"),
        ("en", "my teacher keeps harassing me", "teacher", "I am sorry"),
    ],
)
async def test_danger_calls_a_person_without_telling_why(
    locale: str, text: str, detail: str, care: str
) -> None:
    answer, calls = await asked(locale, text)
    assert [name for name, _ in calls] == ["hand_off"]
    assert detail not in str(calls)
    assert care in answer.reply
    assert not answer.titles


async def test_angry_wish_for_a_person_is_met_in_the_same_turn() -> None:
    answer, calls = await asked("es", "qué asco, nadie responde. pásame con alguien YA")
    assert [name for name, _ in calls] == ["hand_off"]
    assert "avisé al equipo" in answer.reply


async def test_both_courses_of_a_question_are_answered() -> None:
    answer, _ = await asked("es", "¿cuánto cuesta excel y python?")
    titles = " ".join(answer.titles)
    assert "Excel" in titles
    assert "Python" in titles


@pytest.mark.parametrize(
    ("locale", "text", "words"),
    [
        ("es", "me gustaría aprender buceo", "No encontré con seguridad"),
        ("en", "I would love to learn pottery", "found no course"),
    ],
)
async def test_unknown_subject_is_said_not_to_be_found(locale: str, text: str, words: str) -> None:
    answer, _ = await asked(locale, text)
    assert words in answer.reply
    assert answer.actions == ["handoff_offer"]


@pytest.mark.parametrize(
    ("locale", "text", "title"),
    [
        ("es", "¿puedes abrir un ticket? no me cargan los videos", "No me cargan los videos"),
        ("en", "can you raise a ticket for me please? my videos do not load", "My videos"),
        ("en", "The recordings are missing since Monday. open a ticket", "The recordings"),
    ],
)
async def test_ticket_is_about_the_neighbouring_sentence(
    locale: str, text: str, title: str
) -> None:
    _, calls = await asked(locale, text)
    (name, arguments) = calls[0]
    assert name == "open_ticket"
    assert str(arguments["title"]).startswith(title)  # type: ignore[index]
