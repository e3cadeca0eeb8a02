"""Turns with a model behind a real OpenAI-compatible server, healthy and faulty."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.chat_client import ChatClient
from tests.demo_database import environment
from tests.live import LiveApi
from tests.openai_server import (
    OpenAIServer,
    Step,
    call,
    cut,
    empty,
    end_early,
    hang,
    result_in,
    say,
    stall,
    status,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SEARCH = ("search_courses", json.dumps({"query": "Excel"}))


@pytest.fixture(scope="module")
def api(demo_database_url: str, redis_url: str, model: OpenAIServer) -> Iterator[LiveApi]:
    given = environment(
        demo_database_url,
        redis_url,
        llm_provider="openai",
        llm_first_token_timeout_s="1",
        llm_chunk_timeout_s="1",
        llm_retry_after_cap_s="1",
        llm_breaker_failures="1000",
        embedder="none",
    )
    started = LiveApi(given | {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": model.base_url}).start()
    yield started
    started.stop()


@pytest.fixture
async def student(api: LiveApi, model: OpenAIServer) -> AsyncIterator[ChatClient]:
    model.reset()
    client = await ChatClient(api.url).start()
    yield client
    await client.close()


def turn_records(database_url: str, student: ChatClient) -> list[tuple[str, str]]:
    with psycopg.connect(database_url) as conn:
        return conn.execute(
            "SELECT outcome, decision FROM audit_events "
            "WHERE conversation_id = %s AND action = 'turn' ORDER BY seq",
            [student.conversation_id],
        ).fetchall()


async def test_model_calls_a_tool_and_its_answer_is_streamed(
    student: ChatClient, model: OpenAIServer, demo_database_url: str
) -> None:
    model.will(call(SEARCH), say("Tenemos un curso de Excel. ¿Quieres saber más de él?"))
    (await student.send("¿tienen algo de Excel?")).raise_for_status()
    events = await student.until("run_finished")
    kinds = [e.kind for e in events]
    shown = "".join(e.data["text"] for e in events if e.kind == "token")
    assert shown.strip() == "Tenemos un curso de Excel. ¿Quieres saber más de él?"
    assert kinds.index("tool_finished") < kinds.index("token") < kinds.index("run_finished")
    asked = model.requests[1]["messages"]
    assert asked[-1]["role"] == "tool"
    assert result_in(asked[-1]["content"])["status"] == "ok"
    assert turn_records(demo_database_url, student) == [("ok", "completed")]
    with psycopg.connect(demo_database_url) as conn:
        run = conn.execute(
            "SELECT provider, tokens_in, tokens_out, cost_micros, steps, tool_calls FROM runs "
            "WHERE conversation_id = %s",
            [student.conversation_id],
        ).fetchone()
    assert run is not None
    assert run[0] == "openai"
    assert min(run[1:4]) > 0
    assert run[4:] == (2, 1)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([hang()] * 9, id="time-out before the first token"),
        pytest.param([stall("Hola, ")] * 9, id="silence in the middle"),
        pytest.param([status(500)] * 9, id="server error"),
        pytest.param([status(429, Retry_After="3600")] * 9, id="rate limit for an hour"),
        pytest.param([cut("Hola. Esto se ")] * 9, id="stream cut in the middle"),
        pytest.param([end_early("Hola, ")] * 9, id="stream ended without a finish"),
        pytest.param([empty()] * 9, id="empty answer"),
        pytest.param([call(SEARCH), *[status(500)] * 9], id="server error after a tool"),
    ],
)
async def test_failing_model_is_replaced_within_the_turn(
    student: ChatClient, model: OpenAIServer, demo_database_url: str, steps: list[Step]
) -> None:
    model.will(*steps)
    reply = await student.ask("¿Cuánto cuesta el curso de Excel?")
    assert reply["text"]
    ((outcome, decision),) = turn_records(demo_database_url, student)
    assert outcome == "ok"
    assert decision != "completed", "the record says why the fallback spoke"


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(call(("search_courses", '{"query": ')), id="arguments that are no JSON"),
        pytest.param(call(("search_courses", '{"q": 1}')), id="arguments that do not fit"),
        pytest.param(call(("read_all_people", "{}")), id="a tool that does not exist"),
        pytest.param(call(("find_person", '{"name": "Ana"}')), id="a tool of others"),
        pytest.param(call(SEARCH, doubled=True), id="a name said twice"),
        pytest.param(status(429, Retry_After="0"), id="rate limit for a moment"),
        pytest.param(status(503), id="one server error"),
    ],
)
async def test_model_that_recovers_keeps_the_turn(
    student: ChatClient, model: OpenAIServer, demo_database_url: str, first: Step
) -> None:
    model.will(first)
    model.otherwise = say("Cuéntame un poco más y te ayudo.")
    reply = await student.ask("hola")
    assert reply["text"] == "Cuéntame un poco más y te ayudo."
    assert turn_records(demo_database_url, student) == [("ok", "completed")]


async def test_model_that_never_stops_calling_tools_is_stopped(
    student: ChatClient, model: OpenAIServer, demo_database_url: str
) -> None:
    model.otherwise = call(*[SEARCH] * 20)
    reply = await student.ask("hola")
    assert reply["text"]
    assert len(model.requests) <= 6
    assert len(turn_records(demo_database_url, student)) == 1
