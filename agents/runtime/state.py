"""What flows through a graph during one turn."""

from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages

from agents.runtime.brief import Brief, Guess, PendingConfirmation


class AgentState(TypedDict, total=False):
    """The state of every agent's graph.

    Keys:
        messages: the window, which the agent puts its instructions before, then this turn's model
            and tool messages.
        brief: see `Brief`.
        agent: the agent that the supervisor routed to.
        step: model calls made so far in this run.
        memory: what the next turn shall know; replaces the conversation's memory at the commit.
        reply: the final text, checked, without citation marks.
        citations: `{title, url, version}` in the order of their marks.
        actions: hints for the widget, e.g. `{"type": "verify"}`, `{"type": "handoff_offer"}`.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    brief: Brief
    agent: str
    step: int
    memory: dict[str, object]
    reply: str
    citations: list[dict[str, str]]
    actions: list[dict[str, object]]


#: The types of ours that a kept checkpoint may hold; others are not read back.
STATE_TYPES: tuple[type, ...] = (Brief, Guess, PendingConfirmation)
