"""A local server that speaks OpenAI's protocol, with faults by script, for any client."""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agents.llm.quoted import CLOSE, OPEN

Step = Callable[[dict[str, Any]], Response]


class _Cut(Exception):
    """Ends a response in the middle of its body."""


@dataclass
class OpenAIServer:
    """What the server will answer, in order, and what it was asked.

    Args:
        script: one step a request; when it has run out, `otherwise` answers.
    """

    base_url: str
    script: deque[Step] = field(default_factory=deque)
    requests: list[dict[str, Any]] = field(default_factory=list)
    otherwise: Step | None = None

    def will(self, *steps: Step) -> OpenAIServer:
        """Add steps to the script."""
        self.script.extend(steps)
        return self

    def reset(self) -> None:
        """Forget script and requests."""
        self.script.clear()
        self.requests.clear()
        self.otherwise = None

    def answer(self, body: dict[str, Any]) -> Response:
        self.requests.append(body)
        step = self.script.popleft() if self.script else self.otherwise
        return step(body) if step else JSONResponse({"error": {"message": "no script"}}, 500)


def result_in(content: str) -> dict[str, Any]:
    """Return the tool's result that a message to the model holds between its marks."""
    assert content.startswith(OPEN), content
    assert content.endswith(CLOSE), content
    result: dict[str, Any] = json.loads(content[len(OPEN) : -len(CLOSE)])
    return result


def say(text: str, *, pieces: int = 4, usage: bool = True) -> Step:
    """Answer with a text, streamed in pieces.

    Args:
        usage: whether to tell what it took, if asked.
    """
    size = max(1, -(-len(text) // pieces))
    deltas = [{"content": text[i : i + size]} for i in range(0, len(text), size)]
    return _streamed([{"role": "assistant", "content": ""}, *deltas], "stop", usage=usage)


def call(
    *calls: tuple[str, str], doubled: bool = False, text: str = "", usage: bool = True
) -> Step:
    """Ask for tools, each by name and raw arguments.

    Args:
        doubled: every piece of a call repeats the tool's name, as llama.cpp's server does.
        text: said before.
        usage: whether to tell what it took, if asked.
    """
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": text or None}]
    for index, (name, arguments) in enumerate(calls):
        half = len(arguments) // 2
        first = {"name": name, "arguments": arguments[:half]}
        second = {"arguments": arguments[half:], **({"name": name} if doubled else {})}
        deltas.append({"tool_calls": [_piece(index, first, f"call_{index}")]})
        deltas.append({"tool_calls": [_piece(index, second, None)]})
    return _streamed(deltas, "tool_calls", usage=usage)


def status(code: int, **headers: str) -> Step:
    """Answer with an error."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: JSONResponse({"error": {"message": "scripted"}}, code, named)


def hang() -> Step:
    """Accept the request and never answer it."""
    return lambda _: StreamingResponse(_silence(), media_type="text/event-stream")


def stall(text: str) -> Step:
    """Say something and fall silent."""
    return lambda body: StreamingResponse(
        _then_silence(_frame(body, {"content": text}, None)), media_type="text/event-stream"
    )


def drip(text: str) -> Step:
    """Say the same over and over, never silent for long and never done."""
    return lambda body: StreamingResponse(
        _over_and_over(_frame(body, {"content": text}, None)), media_type="text/event-stream"
    )


def cut(text: str) -> Step:
    """Say something and break the connection."""
    return lambda body: StreamingResponse(
        _then_cut(_frame(body, {"content": text}, None)), media_type="text/event-stream"
    )


def end_early(text: str) -> Step:
    """Say something and end the stream properly, but without a finish reason."""
    return _streamed([{"content": text}], None, done=False)


def empty() -> Step:
    """Finish without having said anything."""
    return _streamed([{"role": "assistant", "content": ""}], "stop")


def embed(dimensions: int, *, shuffled: bool = False, fewer: int = 0) -> Step:
    """Answer with a vector a text, its length and its first letter's number at two places.

    Args:
        shuffled: in another order, as the protocol allows.
        fewer: so many are missing.
    """

    def answer(body: dict[str, Any]) -> Response:
        size = body.get("dimensions") or dimensions
        rows = []
        for index, text in enumerate(body["input"]):
            vector = [0.0] * size
            vector[len(text) % size] += 2.0
            vector[ord(text[0]) % size] += 1.0
            rows.append({"object": "embedding", "index": index, "embedding": vector})
        rows = rows[: len(rows) - fewer]
        data = rows[::-1] if shuffled else rows
        return JSONResponse({"object": "list", "model": body["model"], "data": data})

    return answer


def garbage(content: bytes = b"<html>Bad gateway</html>") -> Step:
    """Answer in time, and not with what was asked for."""
    return lambda _: Response(content, media_type="application/json")


def _piece(index: int, function: dict[str, str], call_id: str | None) -> dict[str, Any]:
    head = {"index": index, "function": function}
    return {**head, "id": call_id, "type": "function"} if call_id else head


def _streamed(
    deltas: list[dict[str, Any]], finish: str | None, *, done: bool = True, usage: bool = True
) -> Step:
    async def body_of(body: dict[str, Any]) -> AsyncIterator[str]:
        for delta in deltas:
            yield _frame(body, delta, None)
        if finish:
            yield _frame(body, {}, finish)
        if (body.get("stream_options") or {}).get("include_usage") and done and usage:
            yield _usage(body)
        if done:
            yield "data: [DONE]\n\n"

    return lambda body: StreamingResponse(body_of(body), media_type="text/event-stream")


def _frame(body: dict[str, Any], delta: dict[str, Any], finish: str | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _event(body, {"choices": [choice]})


def _usage(body: dict[str, Any]) -> str:
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    return _event(body, {"choices": [], "usage": usage})


def _event(body: dict[str, Any], data: dict[str, Any]) -> str:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
    return f"data: {json.dumps({**head, 'model': body.get('model', ''), **data})}\n\n"


async def _silence() -> AsyncIterator[str]:
    import asyncio

    await asyncio.Event().wait()
    yield ""


async def _then_silence(frame: str) -> AsyncIterator[str]:
    yield frame
    async for nothing in _silence():
        yield nothing


async def _over_and_over(frame: str) -> AsyncIterator[str]:
    import asyncio

    while True:
        yield frame
        await asyncio.sleep(0.05)


async def _then_cut(frame: str) -> AsyncIterator[str]:
    yield frame
    raise _Cut


@contextmanager
def openai_server() -> Iterator[OpenAIServer]:
    """Run a server on a free port of this machine, in a thread of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    state = OpenAIServer(f"http://127.0.0.1:{port}/v1")

    async def complete(request: Request) -> Response:
        return state.answer(await request.json())

    paths = ("/v1/chat/completions", "/v1/embeddings")
    app = Starlette(routes=[Route(path, complete, methods=["POST"]) for path in paths])
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    # The socket listens already: whoever connects first waits for the server, not the other way.
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listening.close()
