"""The student-support agent: a model that may ask for tools until it answers."""

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agents.runtime.model_node import call_model
from agents.runtime.state import AgentState
from agents.runtime.tool_node import call_tools
from agents.runtime.turn import Turn
from agents.student_support.prompt import instruct


def build_student_support() -> CompiledStateGraph[AgentState, Turn, AgentState, AgentState]:
    """Return `instruct → model ⇄ tools`."""
    graph = StateGraph(AgentState, context_schema=Turn)
    graph.add_node("instruct", instruct)
    graph.add_node("model", call_model)
    graph.add_node("tools", call_tools)
    graph.add_edge(START, "instruct")
    graph.add_edge("instruct", "model")
    graph.add_conditional_edges("model", after_model, {"tools": "tools", "answer": END})
    graph.add_edge("tools", "model")
    return graph.compile()


def after_model(state: AgentState, runtime: Runtime[Turn]) -> str:
    """Go on while the model asks for tools and the budget of steps lasts."""
    last = state["messages"][-1]
    asks = getattr(last, "tool_calls", None) or getattr(last, "invalid_tool_calls", None)
    return "tools" if asks and state["step"] < runtime.context.max_steps else "answer"
