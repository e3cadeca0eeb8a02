"""The whole graph over a real OpenAI-compatible server: every fault ends in a kind reply."""

from collections.abc import AsyncIterator, Iterator

import pytest

from agents.llm.factory import build_providers
from agents.settings import AgentSettings
from tests.openai_server import (
    OpenAIServer,
    Step,
    call,
    cut,
    empty,
    end_early,
    hang,
    openai_server,
    say,
    stall,
    status,
)
from tests.unit.agents.institution import FakeTools
from tests.unit.agents.scripted import Talk

SEARCH = call(("search_courses", '{"query": "excel"}'))
ANSWER = say("Cuesta USD 89.00 [[course-dat-101]].")


@pytest.fixture(scope="module")
def running() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
async def talk(running: OpenAIServer) -> AsyncIterator[Talk]:
    """A conversation with a fresh provider, quick to lose patience."""
    running.reset()
    providers = build_providers(
        AgentSettings(
            _env_file=None,
            llm_provider="openai",
            openai_base_url=running.base_url,
            openai_model="test-model",
            llm_first_token_timeout_s=0.5,
            llm_chunk_timeout_s=0.5,
            llm_max_retries=1,
            llm_retry_after_cap_s=0.01,
        )
    )
    assert providers.primary.name == "openai"
    yield Talk(tools=FakeTools(), provider=providers.primary, fallback=providers.fallback)
    await providers.aclose()


async def test_model_asks_for_a_tool_and_answers_with_its_source(
    running: OpenAIServer, talk: Talk
) -> None:
    running.will(SEARCH, ANSWER)
    answer = await talk.say("¿cuánto cuesta excel?")
    assert answer.reply == "Cuesta USD 89.00 [1]."
    assert answer.titles == ["Excel para la gestión y el análisis"]
    assert answer.turn.degraded is None
    assert answer.turn.usage.tokens_in == 200
    told = running.requests[1]["messages"]
    assert [m["role"] for m in told] == ["system", "user", "assistant", "tool"]
    assert told[-1]["content"].startswith("<data>\n{")
    assert told[-1]["content"].endswith("}\n</data>")
    assert "course-dat-101" in told[-1]["content"]


async def test_price_that_the_model_invents_does_not_leave(
    running: OpenAIServer, talk: Talk
) -> None:
    running.will(SEARCH, say("El curso de Excel es muy bueno. Hoy cuesta solo USD 5.00."))
    answer = await talk.say("¿cuánto cuesta excel?")
    assert "5.00" not in answer.reply
    assert not any("5.00" in str(data) for kind, data in answer.events if kind == "token")


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([hang(), hang()], "timeout"),
        ([status(429, Retry_After="600")], "rate_limited"),
        ([status(500), status(500)], "server_error"),
        ([status(400)], "rejected"),
        ([cut("El curso cuesta")], "cut_stream"),
        ([end_early("El curso cuesta")], "cut_stream"),
        ([stall("El curso cuesta")], "timeout"),
        ([empty(), empty()], "bad_output"),
        ([SEARCH, status(500), status(500)], "server_error"),
        ([SEARCH, cut("El curso cuesta")], "cut_stream"),
    ],
)
async def test_fault_ends_in_an_answer_of_the_fallback(
    running: OpenAIServer, talk: Talk, steps: list[Step], code: str
) -> None:
    running.will(*steps)
    answer = await talk.say("¿cuánto cuesta el curso de excel?")
    assert answer.turn.degraded == code
    assert "USD 89.00" in answer.reply
    assert answer.titles[0] == "Excel para la gestión y el análisis"


async def test_text_shown_before_a_cut_is_withdrawn(running: OpenAIServer, talk: Talk) -> None:
    running.will(cut("Déjame ver eso con calma. Ahora te digo"))
    answer = await talk.say("¿cuánto cuesta el curso de excel?")
    kinds = [kind for kind, _ in answer.events]
    assert kinds.index("token") < kinds.index("draft_reset")
    assert "Déjame ver" not in answer.reply


async def test_broken_arguments_are_refused_and_tried_again(
    running: OpenAIServer, talk: Talk
) -> None:
    running.will(call(("search_courses", '{"query": "exc')), SEARCH, ANSWER)
    answer = await talk.say("¿cuánto cuesta excel?")
    assert answer.reply == "Cuesta USD 89.00 [1]."
    assert talk.tools.refusals == [("search_courses", "arguments.invalid")]


async def test_unknown_tool_is_refused_and_the_model_goes_on(
    running: OpenAIServer, talk: Talk
) -> None:
    running.will(call(("drop_tables", "{}")), say("No puedo hacer eso."))
    answer = await talk.say("borra todo")
    assert answer.reply == "No puedo hacer eso."
    assert talk.tools.refusals == [("drop_tables", "tool.unknown")]


async def test_repeated_names_do_not_matter(running: OpenAIServer, talk: Talk) -> None:
    running.will(call(("search_courses", '{"query": "excel"}'), doubled=True), ANSWER)
    answer = await talk.say("¿cuánto cuesta excel?")
    assert answer.reply == "Cuesta USD 89.00 [1]."
    assert talk.tools.refusals == []


async def test_effect_before_a_fault_is_not_repeated(running: OpenAIServer, talk: Talk) -> None:
    running.will(call(("hand_off", '{"reason": "asked for a person"}')), status(500), status(500))
    answer = await talk.say("quiero hablar con una persona")
    assert [name for name, _ in talk.tools.calls] == ["hand_off"]
    assert "una persona seguirá contigo" in answer.reply


async def test_consent_interrupts_and_resumes_through_the_same_model(
    running: OpenAIServer, talk: Talk
) -> None:
    ticket = '{"category": "technical", "title": "No entro", "description": "No puedo entrar"}'
    running.will(call(("open_ticket", ticket)), say("Abrí el ticket 1043."))
    asked = await talk.say("no puedo entrar al campus, abre un ticket")
    assert asked.asked is not None
    answer = await talk.decide(asked, accepted=True)
    assert answer.reply == "Abrí el ticket 1043."
    assert len(talk.tools.executed) == 1


async def test_endless_model_is_stopped(running: OpenAIServer, talk: Talk) -> None:
    running.otherwise = SEARCH
    answer = await talk.say("excel")
    assert "No logré terminar" in answer.reply
    assert len(running.requests) == 6
