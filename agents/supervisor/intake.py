"""The nodes before an agent: look at the input, settle the language, choose the agent."""

from dataclasses import replace

from langchain_core.messages import HumanMessage
from langgraph.runtime import Runtime

from agents.llm.offline.reading import remembered_in
from agents.llm.offline.understanding import understand, worth_guessing
from agents.runtime.guards.input import input_flags
from agents.runtime.state import AgentState
from agents.runtime.turn import Turn
from agents.supervisor.language import language_of
from agents.supervisor.table import agent_for


def guard_input(state: AgentState) -> dict[str, object]:
    """Note what is odd about the new messages; nothing is refused here."""
    brief = state["brief"]
    flags = (*brief.flags, *input_flags(_new_texts(state)))
    return {"brief": replace(brief, flags=tuple(dict.fromkeys(flags)))}


def resolve(state: AgentState, runtime: Runtime[Turn]) -> dict[str, object]:
    """Answer in the language of the new messages; identity stays as the session proved it."""
    brief = state["brief"]
    locale = language_of(_new_texts(state), brief.locale)
    runtime.context.locale = locale
    return {"brief": replace(brief, locale=locale)}


async def guess(state: AgentState, runtime: Runtime[Turn]) -> dict[str, object]:
    """Ask the classifier what the new messages want, once a turn, whichever model speaks."""
    brief, guesser = state["brief"], runtime.context.guesser
    if guesser is None:
        return {}
    guesses = await guesser.guess(worth_guessing(_new_texts(state), brief.locale))
    return {"brief": replace(brief, guesses=guesses)}


def route(state: AgentState, runtime: Runtime[Turn]) -> dict[str, object]:
    """Choose the agent that serves this turn, by what its messages want."""
    brief = state["brief"]
    remembered = remembered_in(brief.memory)
    intents = understand(_new_texts(state), brief.locale, remembered, brief.guesses)
    agent = agent_for({intent.name for intent in intents}).name
    runtime.context.agent = agent
    return {"agent": agent}


def _new_texts(state: AgentState) -> list[str]:
    spoken = [str(m.content) for m in state["messages"] if isinstance(m, HumanMessage)]
    count = state["brief"].new_messages
    return spoken[-count:] if count else []
