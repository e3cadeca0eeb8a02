"""What the lead-scoring agent knows of one change, and with what it works."""

from dataclasses import dataclass
from typing import Any, Protocol, TypedDict
from uuid import UUID

from tools.results import ToolResult

NAME = "lead_scoring"
#: Raised with every change of the rules or the drafts; the audit keeps it.
VERSION = "1"
#: The only tools that the agent may call; its actor's role opens no other way either.
TOOLS = frozenset({"lead_score", "propose_action"})


class LeadTools(Protocol):
    """The tool runner, bound to one change of a score."""

    async def call(self, tool: str, arguments: dict[str, object], *, step: int) -> ToolResult:
        """Call a tool of `TOOLS`; the same step of the same change has its effect once."""
        ...


@dataclass(frozen=True, slots=True)
class Scorer:
    """With what a run of the graph works."""

    tools: LeadTools


class LeadState(TypedDict, total=False):
    """One change of a score on its way to a suggestion.

    Args:
        before: the score that it had; None for a first one.
        score: what `lead_score` told.
        proposal: the arguments of `propose_action`; None when nothing is worth an advisor's time.
        outcome: `proposed`, `withheld`, `nothing`, or the code of a refusal.
    """

    lead_id: UUID
    before: int | None
    score: dict[str, Any]
    proposal: dict[str, object] | None
    outcome: str
