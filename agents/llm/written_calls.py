"""Tool calls that a model writes into its text, as the templates of local models teach them to.

Qwen and Hermes write `<tool_call>{…}</tool_call>`, Mistral `[TOOL_CALLS] [{…}]`, Llama the bare
object; each holds `name` and `arguments` or `parameters`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from langchain_core.messages.tool import ToolCallChunk

_OPENINGS = ("<tool_call>", "[TOOL_CALLS]", "<|python_tag|>")
_LONGEST = max(map(len, _OPENINGS))
_NAME = re.compile(r'"name"\s*:\s*"([\w.-]+)"')


class CallReader:
    """Takes text as it comes; gives back what is said, and keeps what is asked for."""

    def __init__(self) -> None:
        self._said = False
        self._held = ""
        self._asks = False

    def feed(self, text: str) -> str:
        """Return what of the text can be shown now: nothing that may be a part of a call."""
        self._held += text
        if self._asks or (not self._said and self._held.lstrip()[:1] in {"", "{", "["}):
            return ""
        found = [place for opening in _OPENINGS if (place := self._held.find(opening)) >= 0]
        end = min(found) if found else len(self._held) - _unfinished(self._held)
        self._asks = bool(found)
        shown, self._held = self._held[:end], self._held[end:]
        self._said = self._said or bool(shown.strip())
        return shown

    def close(self) -> tuple[str, list[ToolCallChunk]]:
        """Return what is left to say, and the calls; one that is broken keeps what was written."""
        marked = next((o for o in _OPENINGS if o in self._held), None)
        asked = list(_asked(self._held))
        if asked:
            return "", [_chunk(name, json.dumps(a), n) for n, (name, a) in enumerate(asked)]
        if marked is None:
            return self._held, []
        written = self._held.partition(marked)[2].strip()
        name = _NAME.search(written)
        return "", [_chunk(name[1] if name else "unknown", written, 0)]


def _unfinished(text: str) -> int:
    """Return how many characters at the end may be the beginning of an opening."""
    sizes = range(min(_LONGEST - 1, len(text)), 0, -1)
    return next((n for n in sizes if any(o.startswith(text[-n:]) for o in _OPENINGS)), 0)


def _asked(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    decoder = json.JSONDecoder()
    place = text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            call = _call_of(value)
            if call is not None:
                yield call
        place = text.find("{", end)


def _call_of(value: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    name, arguments = value.get("name"), value.get("arguments", value.get("parameters"))
    named = isinstance(name, str) and isinstance(arguments, dict)
    return (str(name), arguments) if named and isinstance(arguments, dict) else None


def _chunk(name: str, arguments: str, index: int) -> ToolCallChunk:
    return ToolCallChunk(
        name=name, args=arguments, id=f"call-{index}", index=index, type="tool_call_chunk"
    )
