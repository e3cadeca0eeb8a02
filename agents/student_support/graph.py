"""The student-support agent: its instructions, and the loop of a model that may ask for tools."""

from pathlib import Path

from langgraph.graph.state import CompiledStateGraph

from agents.runtime.instructions import Instructions
from agents.runtime.loop import build_loop
from agents.runtime.state import AgentState
from agents.runtime.turn import Turn

INSTRUCTIONS = Instructions(Path(__file__).parent / "prompts")


def build_student_support() -> CompiledStateGraph[AgentState, Turn, AgentState, AgentState]:
    """Return `instruct → model ⇄ tools`."""
    return build_loop(INSTRUCTIONS)
