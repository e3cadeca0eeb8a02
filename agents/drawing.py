"""Draws the graphs as they are compiled, for people to read."""

from collections.abc import Iterator
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from agents.lead_scoring.graph import build_lead_scoring
from agents.lead_scoring.state import NAME as LEAD_SCORING
from agents.supervisor.graph import build_graph
from agents.supervisor.table import AGENTS


def draw_graphs() -> str:
    """Return the supervisor's graph and every agent's as Markdown with Mermaid."""
    return "\n\n".join(f"**{name}**\n\n```mermaid\n{drawn}\n```" for name, drawn in _drawn())


def _drawn() -> Iterator[tuple[str, str]]:
    yield "supervisor", _mermaid(build_graph(None))
    for agent in AGENTS.values():
        yield agent.name, _mermaid(agent.build())
    yield LEAD_SCORING, _mermaid(build_lead_scoring())


def _mermaid(graph: CompiledStateGraph[Any, Any, Any, Any]) -> str:
    drawn = graph.get_graph().draw_mermaid(with_styles=False)
    return drawn.strip().replace("\t", "    ").replace("&nbsp;", "")
