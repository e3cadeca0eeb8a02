"""The course-recommendation agent: its instructions, and the loop of a model that asks for tools.

It asks for the goal first, then for time and budget, and only for what is missing; what is
suggested and what speaks against it comes from `recommend_courses` and `explain_course` alone.
"""

from pathlib import Path

from langgraph.graph.state import CompiledStateGraph

from agents.runtime.instructions import Instructions
from agents.runtime.loop import build_loop
from agents.runtime.state import AgentState
from agents.runtime.turn import Turn

INSTRUCTIONS = Instructions(Path(__file__).parent / "prompts")


def build_course_recommendation() -> CompiledStateGraph[AgentState, Turn, AgentState, AgentState]:
    """Return `instruct → model ⇄ tools`."""
    return build_loop(INSTRUCTIONS)
