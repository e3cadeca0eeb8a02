"""The supervisor: what every turn goes through, whichever agent serves it."""

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.runtime.state import AgentState
from agents.runtime.turn import Turn
from agents.supervisor.finish import finish
from agents.supervisor.intake import guard_input, guess, resolve, route
from agents.supervisor.table import AGENTS

CompiledGraph = CompiledStateGraph[AgentState, Turn, AgentState, AgentState]


def build_graph(checkpointer: BaseCheckpointSaver[str] | None) -> CompiledGraph:
    """Return `guard_input → resolve → guess → route → <agent> → finish`.

    Args:
        checkpointer: keeps an interrupted run until the student has decided.
    """
    graph = StateGraph(AgentState, context_schema=Turn)
    graph.add_node("guard_input", guard_input)
    graph.add_node("resolve", resolve)
    graph.add_node("guess", guess)
    graph.add_node("route", route)
    graph.add_node("finish", finish)
    graph.add_edge(START, "guard_input")
    graph.add_edge("guard_input", "resolve")
    graph.add_edge("resolve", "guess")
    graph.add_edge("guess", "route")
    graph.add_conditional_edges("route", lambda state: state["agent"], list(AGENTS))
    for agent in AGENTS.values():
        graph.add_node(agent.name, agent.build())
        graph.add_edge(agent.name, "finish")
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=checkpointer)
