"""The agents there are, and which of them serves a turn."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from agents.course_recommendation import graph as course_recommendation
from agents.student_support import graph as student_support


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agent that the supervisor can hand a turn to.

    Args:
        prompt_version: of all that instructs it, the policy among it.
    """

    name: str
    build: Callable[[], CompiledStateGraph[Any, Any, Any, Any]]
    prompt_version: Callable[[str], str]


STUDENT_SUPPORT = Agent(
    name="student_support",
    build=student_support.build_student_support,
    prompt_version=student_support.INSTRUCTIONS.version,
)
COURSE_RECOMMENDATION = Agent(
    name="course_recommendation",
    build=course_recommendation.build_course_recommendation,
    prompt_version=course_recommendation.INSTRUCTIONS.version,
)

AGENTS: dict[str, Agent] = {agent.name: agent for agent in (STUDENT_SUPPORT, COURSE_RECOMMENDATION)}

#: What advice is made of.
_ADVICE = frozenset({"recommend", "why_not", "dismiss"})


def agent_for(wanted: Collection[str]) -> Agent:
    """Return the agent that serves a turn.

    Args:
        wanted: names of the turn's intents. Advice beside something else is student support's,
            which has the same tools: one agent answers all of a message.
    """
    only_advice = bool(wanted) and _ADVICE.issuperset(wanted)
    return COURSE_RECOMMENDATION if only_advice else STUDENT_SUPPORT
