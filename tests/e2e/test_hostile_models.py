"""A malicious or broken model: stopped by budgets, with a kind reply and every call on record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.chat_client import ChatClient
from tests.demo_database import environment, identity_token
from tests.e2e.rows import count
from tests.live import LiveApi
from tests.openai_server import OpenAIServer, call, drip, say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MODEL = "dear"
SEARCH = ("search_courses", json.dumps({"query": "Excel"}))
TICKET = ("open_ticket", json.dumps({"category": "other", "title": "Uno", "description": "Más."}))
HELLO = {"es": "hola, ¿qué tal?", "en": "hello, how are you?"}
STOPPED = {"es": "No logré terminar", "en": "I did not manage to finish"}
FAILED = {"es": "Tuve un problema", "en": "I ran into a problem"}

#: What a turn may use up, and how many answers of the scripted server that is: each takes 120
#: tokens, of which 100 cost a millionth of a dollar.
BUDGETS = {
    "steps": ({}, 6),
    "tokens": ({"turn_max_tokens": "400"}, 4),
    "cost": ({"turn_max_cost_micros": "300"}, 3),
}


def serve(database_url: str, redis_url: str, model: OpenAIServer, **more: str) -> LiveApi:
    given = environment(
        database_url,
        redis_url,
        llm_provider="openai",
        openai_model=MODEL,
        embedder="none",
        turn_settle_ms="0",
        llm_breaker_failures="1000",
        llm_prices=json.dumps({MODEL: {"input_micros": 1_000_000, "output_micros": 0}}),
        **more,
    )
    return LiveApi(given | {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": model.base_url}).start()


@pytest.fixture(scope="module", params=list(BUDGETS))
def budget(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def api(
    budget: str, demo_database_url: str, redis_url: str, model: OpenAIServer
) -> Iterator[LiveApi]:
    started = serve(demo_database_url, redis_url, model, **BUDGETS[budget][0])
    yield started
    started.stop()


@pytest.fixture(params=["es", "en"])
def locale(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def student(api: LiveApi, model: OpenAIServer, locale: str) -> AsyncIterator[ChatClient]:
    model.reset()
    client = await ChatClient(api.url).start(locale=locale)
    yield client
    await client.close()


def calls_on_record(database_url: str, student: ChatClient) -> list[tuple[str, str | None]]:
    """Return outcome and error of every call of the agent; reads come with the turn's end."""
    with psycopg.connect(database_url) as conn:
        return conn.execute(
            "SELECT outcome, error_code FROM audit_events WHERE conversation_id = %s"
            " AND agent IS NOT NULL AND action <> 'turn' ORDER BY seq",
            [student.conversation_id],
        ).fetchall()


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param([SEARCH], id="a loop"),
        pytest.param([SEARCH] * 20, id="a flood of calls"),
        pytest.param([("read_all_people", "{}")], id="a tool that does not exist"),
        pytest.param([("find_person", '{"name": "Ana"}')], id="a tool of others"),
        pytest.param([("search_courses", '{"query": ')], id="arguments that are no JSON"),
    ],
)
async def test_model_that_never_ends_is_stopped_kindly_with_every_call_on_record(
    student: ChatClient,
    model: OpenAIServer,
    demo_database_url: str,
    budget: str,
    locale: str,
    asked: list[tuple[str, str]],
) -> None:
    model.otherwise = call(*asked)
    reply = await student.ask(HELLO[locale])
    assert reply["text"].startswith(STOPPED[locale])
    allowed = BUDGETS[budget][1]
    assert len(model.requests) == allowed
    kept = calls_on_record(demo_database_url, student)
    assert len(kept) == allowed * len(asked)
    assert kept.count(("refused", f"budget.{budget}")) == len(asked)


@pytest.mark.parametrize("budget", ["steps"], indirect=True, scope="module")
async def test_model_that_asks_for_consent_over_and_over_is_stopped_and_changes_nothing(
    student: ChatClient, model: OpenAIServer, demo_database_url: str, locale: str
) -> None:
    await student.start(locale, identity_token=identity_token("ana.perez@correo.example"))
    model.otherwise = call(TICKET)
    await student.send(HELLO[locale])
    asked = 0
    while True:
        await student.until("run_finished", count=asked + 1)
        pending = (await student.get("/v1/chat/session"))["pending_confirmations"]
        if not pending:
            break
        asked += 1
        assert len(pending) == 1
        decided = {"decision": "reject"}
        await student.post(f"/v1/chat/confirmations/{pending[0]['id']}", decided)
    assert asked == len(model.requests) - 1 == 5
    assert (await student.messages())[-1]["text"].startswith(STOPPED[locale])
    assert count(demo_database_url, "tickets", student) == 0
    assert calls_on_record(demo_database_url, student)[-1] == ("refused", "budget.steps")


@pytest.mark.parametrize("budget", ["steps"], indirect=True, scope="module")
@pytest.mark.parametrize(
    "flood",
    [
        pytest.param(call(("hand_off", json.dumps({"reason": "x" * 1_000_000}))), id="arguments"),
        pytest.param(call(*[SEARCH] * 500), id="calls"),
        pytest.param(say("palabras " * 50_000, pieces=400), id="words"),
    ],
)
async def test_answer_without_end_is_cut_off_and_the_fallback_speaks(
    student: ChatClient, model: OpenAIServer, demo_database_url: str, locale: str, flood: object
) -> None:
    model.otherwise = flood  # type: ignore[assignment]
    reply = await student.ask(HELLO[locale])
    assert 0 < len(reply["text"]) < 1_000
    assert calls_on_record(demo_database_url, student) == []
    with psycopg.connect(demo_database_url) as conn:
        turns = conn.execute(
            "SELECT outcome, decision FROM audit_events"
            " WHERE conversation_id = %s AND action = 'turn'",
            [student.conversation_id],
        ).fetchall()
    assert turns == [("ok", "too_long")]


async def test_turn_that_outlasts_its_time_ends_kindly(
    demo_database_url: str, redis_url: str, model: OpenAIServer, locale: str
) -> None:
    model.reset()
    model.otherwise = drip("Un momento. ")
    api = serve(demo_database_url, redis_url, model, turn_timeout_s="1")
    student = await ChatClient(api.url).start(locale=locale)
    try:
        reply = await student.ask(HELLO[locale])
        assert reply["text"].startswith(FAILED[locale])
        with psycopg.connect(demo_database_url) as conn:
            turns = conn.execute(
                "SELECT outcome, error_code FROM audit_events"
                " WHERE conversation_id = %s AND action = 'turn'",
                [student.conversation_id],
            ).fetchall()
        assert turns == [("failed", "timeout")]
    finally:
        await student.close()
        api.stop()
