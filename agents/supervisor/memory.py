"""What a turn leaves for the next one: what was spoken of and what is waited for."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from agents.runtime.brief import Brief
from agents.runtime.guards.marks import Rendered

_COURSES_KEPT = 3
#: Tools that list courses, and under which key.
_LISTING = {"search_courses": "courses", "recommend_courses": "suggestions"}


def memory_after(
    brief: Brief, messages: Sequence[AnyMessage], rendered: Rendered
) -> dict[str, object]:
    """Return the conversation's memory after this turn.

    Keys: `courses` (code and title, the last spoken of first), `search` and `advice` (arguments of
    the last course search and of the last recommendation), `open_task` (what the agent waits
    for), `offered` (`handoff` or `verify`).
    """
    memory = {k: v for k, v in brief.memory.items() if k in {"courses", "search", "advice"}}
    run = _this_run(messages)
    courses = list(_courses_of(run))
    if courses:
        memory["courses"] = _first_kept(courses)
    if search := _last_arguments(run, "search_courses"):
        memory["search"] = search
    if advice := _last_arguments(run, "recommend_courses"):
        memory["advice"] = advice
    if rendered.tasks:
        memory["open_task"] = rendered.tasks[-1]
    if "handoff_offer" in rendered.actions:
        memory["offered"] = "handoff"
    elif "verify" in rendered.actions:
        memory["offered"] = "verify"
    return memory


def _first_kept(courses: list[dict[str, str]]) -> list[dict[str, str]]:
    unique = {course["code"]: course for course in courses}
    return list(unique.values())[:_COURSES_KEPT]


def _courses_of(run: Sequence[AnyMessage]) -> Iterator[dict[str, str]]:
    """Yield courses looked up by code before courses merely found or suggested."""
    answers = [(m.name, _data_of(m)) for m in run if isinstance(m, ToolMessage)]
    looked_up = [data for name, data in answers if name in {"get_course", "list_cohorts"}]
    explained = [data["course"] for name, data in answers if name == "explain_course" and data]
    found = [
        c
        for name, data in answers
        if (key := _LISTING.get(name or "")) is not None
        for c in _list_of(data, key)
    ]
    for item in (*looked_up, *explained, *found):
        code = item.get("code") or item.get("course_code")
        if code:
            yield {"code": str(code), "title": str(item.get("title", ""))}


def _last_arguments(run: Sequence[AnyMessage], tool: str) -> dict[str, object]:
    calls = [c for m in run if isinstance(m, AIMessage) for c in m.tool_calls]
    made = [dict(c["args"]) for c in calls if c["name"] == tool]
    return made[-1] if made else {}


def _this_run(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return what came after the student's last message."""
    last = max((i for i, m in enumerate(messages) if isinstance(m, HumanMessage)), default=-1)
    return list(messages[last + 1 :])


def _data_of(message: ToolMessage) -> dict[str, Any]:
    try:
        content = json.loads(str(message.content))
    except ValueError:
        return {}
    data = content.get("data") if isinstance(content, dict) else None
    return data if isinstance(data, dict) else {}


def _list_of(data: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = data.get(key)
    return value if isinstance(value, list) else []
