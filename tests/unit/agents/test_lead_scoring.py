"""The lead-scoring agent: which change calls for what, and nothing beyond its two tools."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from agents.lead_scoring.graph import build_lead_scoring
from agents.lead_scoring.proposals import propose_for
from agents.lead_scoring.state import LeadState, Scorer
from tools.results import Failed, Ok, Refused, ToolResult

LEAD = UUID("01990000-0000-7000-8000-000000000000")


def _score(score: int, *, consent: bool = True, language: str = "es") -> dict[str, Any]:
    level = "given" if consent else "none"
    return {
        "lead_id": str(LEAD),
        "language": language,
        "score": score,
        "reasons": [
            {"feature": "messages", "title": "Mensajes", "found": "3", "level": None, "points": 9},
            {"feature": "consent", "title": "Permiso", "found": "x", "level": level, "points": 3},
            {"feature": "visits", "title": "Visitas", "found": "0", "level": None, "points": -2},
        ],
    }


@pytest.mark.parametrize(
    ("before", "now", "consent", "kind", "why"),
    [
        (50, 80, True, "call", "score_rose"),
        (None, 80, False, "call", "score_first"),
        (20, 45, True, "send_template", "score_rose"),
        (20, 45, False, "call", "score_rose"),
        (60, 30, True, "send_template", "score_fell"),
        (60, 30, False, None, None),
        (30, 10, True, None, None),
        (5, 30, True, None, None),
    ],
)
def test_change_calls_for_what_fits(
    before: int | None, now: int, consent: bool, kind: str | None, why: str | None
) -> None:
    made = propose_for(_score(now, consent=consent), before=before)

    assert (made and made["kind"]) == kind
    assert (made and made["why"]) == why


@pytest.mark.parametrize(("language", "word"), [("es", "Llamar"), ("en", "Call")])
def test_draft_is_in_the_leads_language_and_gives_the_reasons(language: str, word: str) -> None:
    made = propose_for(_score(80, language=language), before=40)

    assert made is not None
    draft = str(made["draft"])
    assert draft.startswith(f"{word}")
    assert "{name}" in draft
    assert "Mensajes: 3 (+9)" in draft
    assert "Visitas" not in draft  # what speaks against is no reason to call


class Tools:
    """Answers as it is told, and remembers what was asked."""

    def __init__(self, *answers: ToolResult) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def call(self, tool: str, arguments: dict[str, object], *, step: int) -> ToolResult:
        self.asked.append((tool, step))
        return self.answers.pop(0)


async def _run(tools: Tools, before: int | None = 40) -> str:
    state = LeadState(lead_id=LEAD, before=before)
    ended = await build_lead_scoring().ainvoke(state, context=Scorer(tools))
    return str(ended["outcome"])


async def test_score_that_rose_becomes_a_suggestion() -> None:
    tools = Tools(Ok(_score(80)), Ok({"status": "open"}))

    assert await _run(tools) == "proposed"
    assert tools.asked == [("lead_score", 0), ("propose_action", 1)]


async def test_withheld_is_told_apart() -> None:
    assert await _run(Tools(Ok(_score(80)), Ok({"status": "withheld"}))) == "withheld"


async def test_nothing_worth_it_asks_for_nothing() -> None:
    tools = Tools(Ok(_score(20)))

    assert await _run(tools, before=5) == "nothing"
    assert tools.asked == [("lead_score", 0)]


async def test_refusals_end_the_run() -> None:
    unknown = Tools(Refused("score.unknown", "x"))
    assert await _run(unknown) == "score.unknown"
    assert len(unknown.asked) == 1
    capped = Tools(Ok(_score(80)), Refused("action.capacity", "x"))
    assert await _run(capped) == "action.capacity"
    assert await _run(Tools(Failed("internal", "x", retryable=False))) == "internal"
