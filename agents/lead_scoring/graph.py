"""The lead-scoring agent: looks at a score that moved, decides, suggests."""

from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agents.lead_scoring.proposals import propose_for
from agents.lead_scoring.state import LeadState, Scorer
from tools.results import Ok, ToolResult

LeadGraph = CompiledStateGraph[LeadState, Scorer, LeadState, LeadState]


def build_lead_scoring() -> LeadGraph:
    """Return `read → decide → propose`; each step may find that nothing is to be done."""
    graph = StateGraph(LeadState, context_schema=Scorer)
    graph.add_node("read", read)
    graph.add_node("decide", decide)
    graph.add_node("propose", propose)
    graph.add_edge(START, "read")
    graph.add_conditional_edges("read", known, {"decide": "decide", "unknown": END})
    graph.add_conditional_edges("decide", worth, {"propose": "propose", "nothing": END})
    graph.add_edge("propose", END)
    return graph.compile()


async def read(state: LeadState, runtime: Runtime[Scorer]) -> dict[str, Any]:
    """Ask for the score as it is now, with its reasons."""
    asked: dict[str, object] = {"lead_id": str(state["lead_id"])}
    result = await runtime.context.tools.call("lead_score", asked, step=0)
    return {"score": result.data} if isinstance(result, Ok) else {"outcome": _code(result)}


def known(state: LeadState) -> str:
    """Say whether there is a score to decide about."""
    return "decide" if "score" in state else "unknown"


def decide(state: LeadState) -> dict[str, Any]:
    """Choose what an advisor might do, by rule, with a draft in the lead's language."""
    proposal = propose_for(state["score"], before=state["before"])
    return {"proposal": proposal, "outcome": "nothing"}


def worth(state: LeadState) -> str:
    """Say whether anything is worth an advisor's time."""
    return "propose" if state["proposal"] else "nothing"


async def propose(state: LeadState, runtime: Runtime[Scorer]) -> dict[str, Any]:
    """Suggest it; a refusal by caps or consent is an answer, too."""
    result = await runtime.context.tools.call("propose_action", state["proposal"] or {}, step=1)
    if not isinstance(result, Ok):
        return {"outcome": _code(result)}
    return {"outcome": "withheld" if result.data["status"] == "withheld" else "proposed"}


def _code(result: ToolResult) -> str:
    return getattr(result, "code", result.status)
