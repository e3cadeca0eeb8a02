"""A provider that says what a test wrote for it, and the events a test listens to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk, AnyMessage

from agents.runtime.turn import ModelFailed

Line = str | ModelFailed | list[tuple[str, dict[str, object]]]


class ScriptedProvider:
    """Plays its lines in order: a text, a failure, or tool calls; then repeats the last one.

    Args:
        before: called before each line, e.g. to stop a process there.
    """

    name = "scripted"
    model = "script-1"

    def __init__(
        self,
        *lines: Line,
        before: Callable[[int], Awaitable[None]] | None = None,
        name: str = "scripted",
    ) -> None:
        self.lines = lines
        self.calls: list[Sequence[AnyMessage]] = []
        self._before = before
        self.name = name

    async def stream(
        self, messages: Sequence[AnyMessage], tools: Sequence[Any]
    ) -> AsyncIterator[AIMessageChunk]:
        index = len(self.calls)
        self.calls.append(messages)
        if self._before is not None:
            await self._before(index)
        line = self.lines[min(index, len(self.lines) - 1)]
        if isinstance(line, ModelFailed):
            raise line
        if isinstance(line, str):
            for word in line.split(" "):
                yield AIMessageChunk(content=f"{word} ")
            return
        yield AIMessageChunk(
            content="",
            tool_calls=[
                {"name": name, "args": args, "id": f"call-{index}-{n}", "type": "tool_call"}
                for n, (name, args) in enumerate(line)
            ],
        )

    def cost_micros(self, tokens_in: int, tokens_out: int) -> int:
        return tokens_in + tokens_out


class RecordedEvents:
    """An event stream that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    async def append(
        self, conversation_id: object, kind: str, data: dict[str, object], **_: object
    ) -> None:
        self.events.append((kind, data))

    async def append_message(
        self, conversation_id: object, message_id: object, data: dict[str, object], **_: object
    ) -> None:
        self.events.append(("message", data))

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]
