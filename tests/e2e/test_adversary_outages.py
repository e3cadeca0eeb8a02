"""Two processes under attack: servers killed in the middle of a turn, messages sent to both."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
from starlette.responses import Response, StreamingResponse

from api.embedded.postgres import EmbeddedPostgres
from api.embedded.state import read_state
from api.embedded.valkey import EmbeddedValkey
from api.migrations.runner import migrate
from tests.chat_client import PATIENCE_S, ChatClient, Event
from tests.demo_database import environment
from tests.e2e.rows import count
from tests.live import LiveApi
from tests.openai_server import OpenAIServer, say

if TYPE_CHECKING:
    from pathlib import Path

    from api.embedded.server import EmbeddedServer


@pytest.fixture(scope="module")
def postgres(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(server_folder / "killed-postgres", durable=False) as server:
        migrate(server.start())
        yield server


@pytest.fixture(scope="module")
def valkey(server_folder: Path) -> Iterator[EmbeddedValkey]:
    """A Redis that forgets everything when it is killed."""
    with EmbeddedValkey(server_folder / "killed-valkey", durable=False) as server:
        yield server


@pytest.fixture(scope="module")
def apis(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, model: OpenAIServer
) -> Iterator[list[LiveApi]]:
    given = environment(
        postgres.start(),
        valkey.start(),
        llm_provider="openai",
        embedder="none",
        turn_lease_s="2",
        turn_sweep_s="0.5",
        llm_first_token_timeout_s="60",
        llm_chunk_timeout_s="60",
    )
    given |= {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": model.base_url}
    started = [LiveApi(given).start() for _ in range(2)]
    yield started
    for api in started:
        api.stop()


@pytest.fixture
async def student(apis: list[LiveApi], model: OpenAIServer) -> AsyncIterator[ChatClient]:
    model.reset()
    client = await ChatClient(apis[0].url).start()
    yield client
    await client.close()


class Gate:
    """A model's answer that waits until the test lets it go."""

    def __init__(self, text: str) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()
        self._answer = say(text)

    def __call__(self, body: dict[str, Any]) -> Response:
        self._reached.set()
        answer = self._answer(body)
        assert isinstance(answer, StreamingResponse)
        return StreamingResponse(self._held(answer), media_type="text/event-stream")

    async def _held(self, answer: StreamingResponse) -> AsyncIterator[Any]:
        await asyncio.to_thread(self._opened.wait, PATIENCE_S)
        async for piece in answer.body_iterator:
            yield piece

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._reached.wait, PATIENCE_S)

    def open(self) -> None:
        self._opened.set()


def kill(server: EmbeddedServer) -> None:
    state = read_state(server.data_dir)
    assert state is not None
    assert state.pid is not None
    os.kill(state.pid, signal.SIGKILL)


async def replies(student: ChatClient, count: int) -> list[dict[str, Any]]:
    """Return the log once it holds so many replies."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                said = await student.messages()
            except httpx.HTTPError:  # a server is on its way back
                said = []
            if sum(m["role"] == "agent" for m in said) >= count:
                return said
            await asyncio.sleep(0.05)


class Follower:
    """A connection that stays open and keeps what it saw."""

    def __init__(self, student: ChatClient) -> None:
        self.seen: list[Event] = []
        self._grew = asyncio.Condition()
        self._task = asyncio.create_task(self._follow(student))

    async def _follow(self, student: ChatClient) -> None:
        async with student.following() as events:
            async for event in events:
                async with self._grew:
                    self.seen.append(event)
                    self._grew.notify_all()

    async def until(self, kind: str, *, count: int = 1, start: int = 0) -> None:
        async with asyncio.timeout(PATIENCE_S), self._grew:
            await self._grew.wait_for(
                lambda: sum(e.kind == kind for e in self.seen[start:]) >= count
            )

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})


async def test_redis_that_died_and_forgot_everything_costs_a_follower_a_reload(
    student: ChatClient, model: OpenAIServer, valkey: EmbeddedValkey
) -> None:
    gate = Gate("Aquí estoy de nuevo.")
    model.will(gate)
    follower = Follower(student)
    (await student.send("hola")).raise_for_status()
    await gate.reached()
    await follower.until("run_started")
    kill(valkey)
    await follower.until("resync")
    valkey.stop()
    valkey.start()
    start = len(follower.seen)
    await follower.until("resync", start=start)
    gate.open()
    await follower.until("run_finished")
    assert "Aquí estoy de nuevo." in [e.data.get("text") for e in follower.seen]
    assert [m["role"] for m in await student.messages()] == ["student", "agent"]
    await follower.stop()


async def test_turn_that_ends_while_redis_is_down_is_seen_when_it_is_back(
    student: ChatClient, model: OpenAIServer, valkey: EmbeddedValkey
) -> None:
    gate = Gate("Sin eventos también respondo.")
    model.will(gate, say("Y ahora con eventos."))
    follower = Follower(student)
    (await student.send("hola")).raise_for_status()
    await gate.reached()
    kill(valkey)
    gate.open()
    assert (await replies(student, 1))[-1]["text"] == "Sin eventos también respondo."
    valkey.stop()
    start = len(follower.seen)
    valkey.start()
    await follower.until("resync", start=start)
    (await student.send("¿y ahora?")).raise_for_status()
    await follower.until("run_finished", start=start)
    texts = [e.data.get("text") for e in follower.seen[start:] if e.kind == "message"]
    assert "Y ahora con eventos." in texts
    await follower.stop()


async def test_postgres_killed_in_the_middle_of_a_turn_costs_no_answer_and_doubles_none(
    student: ChatClient, model: OpenAIServer, postgres: EmbeddedPostgres
) -> None:
    gate = Gate("Primer intento.")
    model.will(gate)
    model.otherwise = say("Aquí estoy.")
    (await student.send("hola")).raise_for_status()
    await gate.reached()
    kill(postgres)
    gate.open()
    postgres.stop()
    postgres.start()
    said = await replies(student, 1)
    assert [m["role"] for m in said] == ["student", "agent"]
    assert said[-1]["text"] in {"Primer intento.", "Aquí estoy."}
    reply = await student.ask("¿sigues ahí?")
    assert reply["text"] == "Aquí estoy."
    with psycopg.connect(postgres.start()) as conn:
        left = conn.execute("SELECT count(*) FROM runs WHERE status = 'running'").fetchone()
    assert left == (0,)


async def test_messages_to_both_processes_make_runs_that_never_interleave(
    student: ChatClient, apis: list[LiveApi], model: OpenAIServer, postgres: EmbeddedPostgres
) -> None:
    model.otherwise = say("Te respondo enseguida.")
    chance = random.Random(20)
    follower = Follower(student)
    sent = [f"mensaje {n}" for n in range(24)]
    for text in sent:
        student.url = apis[chance.randrange(2)].url
        answer = await student.send(text)
        assert answer.status_code == 202
        await asyncio.sleep(chance.random() * 0.25)  # as people type; not a way to wait
    async with asyncio.timeout(PATIENCE_S):
        while await unanswered(postgres, student):  # noqa: ASYNC110 nobody is told
            await asyncio.sleep(0.05)
    runs = runs_of(postgres, student)
    await follower.until("run_finished", count=len(runs))

    transcripts = []
    for api in apis:
        student.url = api.url
        transcripts.append(await student.messages())
    assert transcripts[0] == transcripts[1]
    assert [m["text"] for m in transcripts[0] if m["role"] == "student"] == sent
    assert sum(m["role"] == "agent" for m in transcripts[0]) == len(runs)
    ids = [tuple(map(int, (e.id or "").split("-"))) for e in follower.seen if e.id]
    assert ids == sorted(set(ids))
    never_nested(follower.seen)
    await follower.stop()


def never_nested(events: list[Event]) -> None:
    current = None
    for event in events:
        if event.kind == "run_started":
            assert current in {None, event.data["run_id"]}
            current = event.data["run_id"]
        elif event.kind == "run_finished":
            assert current == event.data["run_id"]
            current = None
        elif event.kind in {"token", "tool_started", "tool_finished", "draft_reset"}:
            assert current is not None
    assert current is None


async def unanswered(postgres: EmbeddedPostgres, student: ChatClient) -> int:
    more = "AND role = 'student' AND answered_by IS NULL"
    return count(postgres.start(), "messages", student, more)


def runs_of(postgres: EmbeddedPostgres, student: ChatClient) -> range:
    return range(count(postgres.start(), "runs", student))
