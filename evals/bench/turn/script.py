"""What every subject's model says: search, look up, answer; only the rest of the turn differs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

QUESTION = "¿Cuánto cuesta el curso de Python para análisis de datos y cuándo empieza?"
SEARCH = ("search_courses", {"query": "Python para análisis de datos"})
COURSE = "DAT-201"


@dataclass(frozen=True, slots=True)
class Said:
    """What the model says next: a call, or the answer."""

    call: tuple[str, dict[str, Any]] | None = None
    text: str = ""


def next_said(messages: Sequence[AnyMessage]) -> Said:
    """Return what the model says to these messages."""
    results = _results_of_turn(messages)
    if not results:
        return Said(call=SEARCH)
    if len(results) == 1:
        return Said(call=("get_course", {"code": COURSE}))
    return Said(text=_answer(results[-1]))


def _results_of_turn(messages: Sequence[AnyMessage]) -> list[ToolMessage]:
    asked = max((i for i, m in enumerate(messages) if isinstance(m, HumanMessage)), default=-1)
    return [m for m in messages[asked + 1 :] if isinstance(m, ToolMessage)]


def _answer(result: ToolMessage) -> str:
    """Quote the course as the tool told it; the mark names its source."""
    told = json.loads(str(result.content))
    course = told.get("data", told)
    group = next(c for c in course["cohorts"] if c["seats_left"] > 0)
    mark = f"[[{course['ref']}]]"
    return (
        f"{course['title']} cuesta {group['price']['text']}. {mark} "
        f"El próximo grupo empieza el {group['starts_on_text']}. {mark}"
    )
