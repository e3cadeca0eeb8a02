"""What a run starts from: the brief and a window of the log."""

from datetime import datetime
from zoneinfo import ZoneInfo

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from agents.runtime.brief import Brief
from agents.runtime.ports import LoggedMessage, Situation
from agents.runtime.state import AgentState


def opening_state(
    situation: Situation, *, now: datetime, time_zone: str, institution: str
) -> AgentState:
    """Return a graph's first state.

    Args:
        time_zone: IANA name; the brief tells the time there.
    """
    brief = Brief(
        locale=situation.locale,
        now=now.astimezone(ZoneInfo(time_zone)).isoformat(timespec="seconds"),
        time_zone=time_zone,
        institution=institution,
        identity_level=situation.identity_level,
        new_messages=len(situation.answering),
        memory=situation.memory,
        summary=situation.summary,
        pending=situation.pending,
        status=situation.status,
    )
    return {
        "messages": [_message(m) for m in situation.window],
        "brief": brief,
        "step": 0,
        "memory": situation.memory,
    }


def _message(logged: LoggedMessage) -> AnyMessage:
    if logged.role == "student":
        return HumanMessage(logged.text, id=str(logged.id))
    name = "advisor" if logged.role == "advisor" else None
    return AIMessage(logged.text, id=str(logged.id), name=name)
