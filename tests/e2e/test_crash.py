"""kill -9 in a turn: it completes, its ticket exists once, the transcript is whole."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.chat_client import PATIENCE_S, ChatClient
from tests.demo_database import environment
from tests.e2e.rows import count
from tests.live import LiveApi
from tests.openai_server import OpenAIServer, Step, call, hang, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.responses import Response

TICKET = json.dumps(
    {
        "category": "technical",
        "title": "No puedo entrar al aula virtual",
        "description": "La página dice que mi clave no es válida.",
    }
)
HAND_OFF = json.dumps({"reason": "Pide hablar con una persona."})


@pytest.fixture
def api(demo_database_url: str, redis_url: str, model: OpenAIServer) -> Iterator[LiveApi]:
    model.reset()
    given = environment(
        demo_database_url, redis_url, llm_provider="openai", turn_lease_s="2", turn_sweep_s="0.5"
    )
    started = LiveApi(given | {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": model.base_url})
    yield started.start()
    started.stop()


class Reached:
    """A step that never answers and tells when it was asked."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self, body: dict[str, Any]) -> Response:
        self._event.set()
        silent: Step = hang()
        return silent(body)

    async def wait(self) -> None:
        assert await asyncio.to_thread(self._event.wait, PATIENCE_S)


async def test_ticket_opened_before_the_crash_exists_once(
    api: LiveApi, model: OpenAIServer, demo_database_url: str
) -> None:
    reached = Reached()
    model.will(call(("open_ticket", TICKET)), reached)
    student = await ChatClient(api.url).start()
    await student.ask("no puedo entrar al aula virtual, ábreme un ticket")
    (pending,) = (await student.get("/v1/chat/session"))["pending_confirmations"]
    await student.post(f"/v1/chat/confirmations/{pending['id']}", {"decision": "accept"})
    await reached.wait()
    assert count(demo_database_url, "tickets", student) == 1

    api.kill()
    model.will(say("Tu ticket quedó abierto y te escribirán pronto."))
    api.start()
    await student.until("run_finished", count=2)
    assert count(demo_database_url, "tickets", student) == 1
    said = await student.messages()
    assert [m["role"] for m in said] == ["student", "agent", "agent"]
    assert said[-1]["text"] == "Tu ticket quedó abierto y te escribirán pronto."
    assert (await student.get("/v1/chat/session"))["pending_confirmations"] == []
    await student.close()


async def test_hand_off_before_the_crash_happens_once_and_the_step_is_not_asked_again(
    api: LiveApi, model: OpenAIServer, demo_database_url: str
) -> None:
    reached = Reached()
    model.will(call(("hand_off", HAND_OFF)), reached)
    student = await ChatClient(api.url).start()
    (await student.send("quiero hablar con alguien")).raise_for_status()
    await reached.wait()

    api.kill()
    asked = len(model.requests)
    model.will(say("Una persona te escribirá por aquí."))
    api.start()
    await student.until("run_finished")
    assert len(model.requests) == asked + 1
    assert count(demo_database_url, "handoffs", student) == 1
    assert [m["role"] for m in await student.messages()] == ["student", "agent"]
    await student.close()


async def test_turn_that_only_read_runs_again(
    api: LiveApi, model: OpenAIServer, demo_database_url: str
) -> None:
    reached = Reached()
    model.will(reached)
    student = await ChatClient(api.url).start()
    (await student.send("hola")).raise_for_status()
    await reached.wait()
    api.kill()
    model.will(say("¡Hola! ¿En qué te ayudo?"))
    api.start()
    await student.until("run_finished")
    assert [m["role"] for m in await student.messages()] == ["student", "agent"]
    await student.close()


async def test_surviving_process_takes_over_what_the_dead_one_held(
    api: LiveApi, model: OpenAIServer, demo_database_url: str, redis_url: str
) -> None:
    reached = Reached()
    model.will(reached)
    student = await ChatClient(api.url).start()
    (await student.send("hola")).raise_for_status()
    await reached.wait()
    survivor = LiveApi(api.environment).start()
    model.will(say("¡Hola! ¿En qué te ayudo?"))
    api.kill()
    student.url = survivor.url
    await student.until("run_finished")
    assert [m["role"] for m in await student.messages()] == ["student", "agent"]
    survivor.stop()
    await student.close()
