"""Tool calls as models stream them: put together, repaired where that is safe, checked."""

import json
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage
from langchain_core.messages.tool import ToolCallChunk
from pydantic import BaseModel

from tools.spec import ToolSpec

#: What stands before arguments that are no JSON object. LangChain completes cut JSON on its own,
#: and a call that was cut in the middle must not be carried out with half of its arguments.
BROKEN = "invalid JSON: "


def function_of(spec: ToolSpec[Any, Any]) -> dict[str, object]:
    """Return a tool as the chat completions interface describes functions."""
    taken: type[BaseModel] = spec.input
    return {
        "type": "function",
        "function": {
            "name": spec.name,
            "description": spec.description,
            "parameters": _schema_of(taken),
        },
    }


@cache
def _schema_of(model: type[BaseModel]) -> dict[str, object]:
    # Made anew for each call of a model, those of the catalogue held the event loop for 5 ms.
    return model.model_json_schema()


def without_calls(chunk: AIMessageChunk) -> AIMessageChunk:
    """Return a chunk with its text and metadata alone."""
    additional = {k: v for k, v in chunk.additional_kwargs.items() if k != "tool_calls"}
    return chunk.model_copy(
        update={
            "tool_call_chunks": [],
            "tool_calls": [],
            "invalid_tool_calls": [],
            "additional_kwargs": additional,
            "content": chunk.text,
        }
    )


def settle_calls(whole: AIMessageChunk, known: Collection[str]) -> AIMessageChunk | None:
    """Return the calls of a finished stream in one chunk, or None when there are none.

    Args:
        whole: all of the stream's chunks, added up.
        known: the tools there are.
    """
    calls = [_settled(call, place, known) for place, call in enumerate(whole.tool_call_chunks)]
    return AIMessageChunk(content="", tool_call_chunks=calls) if calls else None


def repaired_name(name: str, known: Collection[str]) -> str:
    """Return a tool's name where a server repeated it: `search_coursessearch_courses`."""
    if name in known:
        return name
    repeated = (tool for tool in known if name and name == tool * (len(name) // len(tool)))
    return next(repeated, name)


def with_valid_history(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return messages whose earlier calls all hold JSON: some servers read it again."""
    return [_valid(m) if isinstance(m, AIMessage) else m for m in messages]


def _settled(call: ToolCallChunk, place: int, known: Collection[str]) -> ToolCallChunk:
    arguments = call["args"] or "{}"
    return ToolCallChunk(
        name=repaired_name((call["name"] or "").strip(), known),
        args=arguments if _is_object(arguments) else BROKEN + arguments,
        id=call["id"] or f"call-{place}",
        index=place,
        type="tool_call_chunk",
    )


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _valid(message: AIMessage) -> AIMessage:
    if not message.invalid_tool_calls:
        return message
    mended = [
        {"name": c["name"] or "unknown", "args": {"invalid": c["args"]}, "id": c["id"]}
        for c in message.invalid_tool_calls
    ]
    return AIMessage(
        content=message.content, tool_calls=[*message.tool_calls, *mended], id=message.id
    )
