"""The agents there are, and which of them serves a turn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from agents.runtime.brief import Brief
from agents.student_support.graph import build_student_support
from agents.student_support.prompt import prompt_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agent that the supervisor can hand a turn to.

    Args:
        prompt_version: of the files that instruct it.
    """

    name: str
    build: Callable[[], CompiledStateGraph[Any, Any, Any, Any]]
    prompt_version: Callable[[], str]


STUDENT_SUPPORT = Agent(
    name="student_support",
    build=build_student_support,
    prompt_version=prompt_version,
)

AGENTS: dict[str, Agent] = {agent.name: agent for agent in (STUDENT_SUPPORT,)}


def agent_for(brief: Brief) -> Agent:
    """Return the agent that serves this turn."""
    return STUDENT_SUPPORT
