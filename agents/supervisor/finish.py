"""The node after an agent: check what it said, number sources, keep what comes next needs."""

import re
from dataclasses import replace

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from agents.runtime.brief import Brief, Locale
from agents.runtime.guards.language import unquoted
from agents.runtime.guards.marks import Rendered, render_marks
from agents.runtime.guards.output import check_reply, evidence_of, says_something
from agents.runtime.state import AgentState
from agents.runtime.tool_node import sources_of
from agents.runtime.turn import Turn
from agents.strings import say
from agents.supervisor.language import language_of
from agents.supervisor.memory import memory_after
from tools.results import Refused, Source


def finish(state: AgentState, runtime: Runtime[Turn]) -> dict[str, object]:
    """Return the reply as a student may read it, with citations, actions and memory."""
    turn, brief = runtime.context, state["brief"]
    sources = sources_of(state["messages"])
    evidence = evidence_of(turn.results, state["messages"], brief)
    checked = check_reply(_spoken(state, brief), evidence)
    text = checked.text
    if checked.withheld:
        kept = text if says_something(text) else ""
        text = f"{kept} {say(brief.locale, 'reply.withheld' if kept else 'reply.unknown')}".strip()
    rendered = render_marks(text, sources)
    noted = reply_flags(rendered.text, brief.locale, withheld=bool(checked.withheld))
    return {
        "brief": replace(brief, flags=(*brief.flags, *noted)),
        "reply": _tidy(rendered.text),
        "citations": [_citation(sources[ref]) for ref in rendered.refs],
        "actions": _actions(rendered, turn),
        "memory": memory_after(brief, state["messages"], rendered),
    }


def reply_flags(text: str, locale: Locale, *, withheld: bool) -> tuple[str, ...]:
    """Return what is odd about a reply: `withheld` sentences, the other `language`."""
    other = language_of([unquoted(text)], locale) != locale
    return tuple(flag for flag, shown in (("withheld", withheld), ("language", other)) if shown)


def _spoken(state: AgentState, brief: Brief) -> str:
    last = state["messages"][-1]
    if not isinstance(last, AIMessage) or last.tool_calls or last.invalid_tool_calls:
        return say(brief.locale, "reply.budget")
    return last.text.strip() or say(brief.locale, "reply.unknown")


def _citation(source: Source) -> dict[str, str]:
    return {"title": source.title, "url": source.url, "version": source.version}


def _actions(rendered: Rendered, turn: Turn) -> list[dict[str, object]]:
    kinds = list(rendered.actions)
    if any(isinstance(r, Refused) and r.code == "identity.level" for _, r in turn.results):
        kinds.append("verify")
    return [{"type": kind} for kind in dict.fromkeys(kinds)]


def _tidy(text: str) -> str:
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
