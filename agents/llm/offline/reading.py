"""What the offline model sees of a conversation: the brief, the new messages, this run's calls."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agents.llm.offline.intents import Remembered
from agents.runtime.brief import Guess, Locale


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one tool call of this run ended in.

    Args:
        status: `ok`, `refused`, `failed` or `needs_confirmation`.
    """

    tool: str
    call_id: str
    status: str
    data: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""

    @property
    def ok(self) -> bool:
        """Return whether the call was carried out."""
        return self.status == "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One turn as the model has to answer it.

    Args:
        new: the student messages to answer.
        now: ISO 8601.
        results: of this run's calls, in order.
        guesses: of the classifier, by clause.
    """

    locale: Locale
    now: str
    institution: str
    identity_level: str
    status: str
    pending: Mapping[str, Any] | None
    remembered: Remembered
    new: tuple[str, ...]
    results: tuple[Result, ...]
    guesses: Mapping[str, Guess] = field(default_factory=dict)

    def result(self, call_id: str, tool: str) -> Result | None:
        """Return what a planned call ended in.

        A call that another model made in this run, before this one took over, counts, too.
        """
        own = next((r for r in self.results if r.call_id == call_id), None)
        foreign = (r for r in self.results if r.tool == tool and not is_own(r.call_id))
        return own or next(foreign, None)

    def last_of(self, tool: str) -> Result | None:
        """Return the last result of a tool in this run."""
        return next((r for r in reversed(self.results) if r.tool == tool), None)


def rows_of(data: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """Return what a tool's output lists under a key, empty where it lists nothing."""
    value = data.get(key)
    return value if isinstance(value, list) else []


OWN = "offline-"


def is_own(call_id: str) -> bool:
    """Return whether this model made a call."""
    return call_id.startswith(OWN)


def read_conversation(messages: Sequence[BaseMessage]) -> Conversation:
    """Return the turn that messages describe.

    Raises: ValueError: no system message carries a brief.
    """
    brief = _brief_in(messages)
    spoken = [str(m.content) for m in messages if isinstance(m, HumanMessage)]
    count = max(1, int(brief.get("new_messages", 1)))
    return Conversation(
        locale="en" if brief.get("locale") == "en" else "es",
        now=str(brief.get("now", "")),
        institution=str(brief.get("institution", "")),
        identity_level=str(brief.get("identity_level", "visitor")),
        status=str(brief.get("status", "agent")),
        pending=brief.get("pending"),
        remembered=remembered_in(brief.get("memory") or {}),
        new=tuple(spoken[-count:]),
        results=tuple(_results_in(messages)),
        guesses={text: Guess(**guess) for text, guess in (brief.get("guesses") or {}).items()},
    )


def _brief_in(messages: Sequence[BaseMessage]) -> Mapping[str, Any]:
    for message in messages:
        brief = message.additional_kwargs.get("brief")
        if isinstance(message, SystemMessage) and isinstance(brief, Mapping):
            return brief
    raise ValueError("no system message carries a brief")


def remembered_in(memory: Mapping[str, Any]) -> Remembered:
    """Return what a conversation's memory says of earlier turns."""
    task, _, subject = str(memory.get("open_task") or "").partition(":")
    return Remembered(
        courses=tuple(memory.get("courses") or ()),
        advice=memory.get("advice") or {},
        open_task=task,
        subject=subject,
        offered=str(memory.get("offered") or ""),
    )


def _results_in(messages: Sequence[BaseMessage]) -> list[Result]:
    last = max((i for i, m in enumerate(messages) if isinstance(m, HumanMessage)), default=-1)
    return [_result(m) for m in messages[last + 1 :] if isinstance(m, ToolMessage)]


def _result(message: ToolMessage) -> Result:
    try:
        content = json.loads(str(message.content))
    except ValueError:
        content = {}
    content = content if isinstance(content, Mapping) else {}
    data = content.get("data")
    return Result(
        tool=message.name or "",
        call_id=message.tool_call_id,
        status=str(content.get("status", "failed")),
        data=data if isinstance(data, Mapping) else {},
        code=str(content.get("code", "")),
    )
