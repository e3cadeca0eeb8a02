"""The loop of every agent that talks: a model that may ask for tools until it answers."""

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.runtime.budget import after_model
from agents.runtime.instructions import Instructions
from agents.runtime.model_node import call_model
from agents.runtime.state import AgentState
from agents.runtime.tool_node import call_tools
from agents.runtime.turn import Turn


def build_loop(
    instructions: Instructions,
) -> CompiledStateGraph[AgentState, Turn, AgentState, AgentState]:
    """Return `instruct → model ⇄ tools`."""
    graph = StateGraph(AgentState, context_schema=Turn)
    graph.add_node("instruct", instructions.instruct)
    graph.add_node("model", call_model)
    graph.add_node("tools", call_tools)
    graph.add_edge(START, "instruct")
    graph.add_edge("instruct", "model")
    graph.add_conditional_edges("model", after_model, {"tools": "tools", "answer": END})
    graph.add_edge("tools", "model")
    return graph.compile()
