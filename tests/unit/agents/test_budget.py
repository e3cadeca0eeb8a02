"""A run that has used up its tokens or its money ends kindly, and its last calls are refused."""

from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk

from tests.unit.agents.scripted import Scripted, Talk, says, tool_call

SEARCH = '{"query": "excel"}'


def asking(tokens_in: int, tokens_out: int) -> AIMessageChunk:
    """Ask for a search; the answer took that many tokens."""
    usage: Any = {
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }
    asked = tool_call("search_courses", SEARCH)
    return asked.model_copy(update={"usage_metadata": usage})


@pytest.mark.parametrize("budget", ["tokens", "cost"])
@pytest.mark.parametrize(("locale", "kindly"), [("es", "No logré"), ("en", "did not manage")])
async def test_model_that_asks_on_is_stopped_by_what_it_took(
    budget: str, locale: str, kindly: str
) -> None:
    endless = Scripted(always=asking(900, 100))
    bound = {"tokens": {"max_tokens": 2_500}, "cost": {"max_cost_micros": 2_500}}[budget]
    talk = Talk(provider=endless, locale=locale, **bound)  # type: ignore[arg-type]
    answer = await talk.say("excel")
    assert len(endless.seen) == 3
    assert len(talk.tools.calls) == 2
    assert talk.tools.refusals == [("search_courses", f"budget.{budget}")]
    assert kindly in answer.reply
    assert answer.actions == ["handoff_offer"]
    assert answer.turn.usage.tokens_in == 2_700


async def test_answer_within_the_budget_is_given_although_the_next_call_would_not_be() -> None:
    dear = asking(5_000, 1)
    talk = Talk(provider=Scripted([dear], says("Listo.")), max_tokens=5_002)
    assert (await talk.say("excel")).reply == "Listo."


async def test_budget_is_a_runs_own() -> None:
    talk = Talk(provider=Scripted(always=asking(600, 0)), max_tokens=1_000)
    for _ in range(2):
        await talk.say("excel")
    assert len(talk.tools.calls) == 2
    assert talk.tools.refusals == [("search_courses", "budget.tokens")] * 2


async def test_tokens_spent_before_a_question_for_consent_count_after_it() -> None:
    ticket = tool_call(
        "open_ticket",
        '{"category": "technical", "title": "No entro", "description": "No puedo entrar"}',
    ).model_copy(update={"usage_metadata": asking(900, 0).usage_metadata})
    talk = Talk(provider=Scripted([ticket], always=asking(200, 0)), max_tokens=1_000)
    asked = await talk.say("no puedo entrar")
    await talk.decide(asked, accepted=True)
    assert len(talk.tools.executed) == 1
    assert talk.tools.refusals == [("search_courses", "budget.tokens")]
