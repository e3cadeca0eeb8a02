"""Starts the lead-scoring agent when a score moves, with no more than its rights."""

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

from agents.lead_scoring.graph import LeadGraph, build_lead_scoring
from agents.lead_scoring.state import NAME, TOOLS, VERSION, LeadState, Scorer
from crm.actor import SERVICE_ACTOR, AgentIdentity
from crm.journal.deliveries.models import StoredEvent
from tools.context import Locale, ToolContext, ToolRequest
from tools.results import Refused, ToolResult
from tools.runner import ToolRunner

if TYPE_CHECKING:
    from api.bootstrap import Services

#: A service's role, and of that only two tools: no model has a part in it.
AGENT = replace(SERVICE_ACTOR, agent=AgentIdentity(NAME, "rules", VERSION))


@dataclass(frozen=True, slots=True)
class EventTools:
    """The tool runner, bound to an event: however often it is delivered, effects happen once."""

    runner: ToolRunner
    event_id: UUID
    locale: Locale

    async def call(self, tool: str, arguments: dict[str, object], *, step: int) -> ToolResult:
        """Call one of the agent's tools."""
        if tool not in TOOLS:
            return Refused("tool.agent", "This agent has no such tool.")
        context = ToolContext(actor=AGENT, locale=self.locale, run_id=self.event_id)
        request = ToolRequest(tool=tool, arguments=arguments, step=step, index=0)
        return await self.runner.call(context, request)


async def act_on_score(services: "Services", event: StoredEvent) -> str:
    """Let the agent look at a lead whose score moved; return what came of it."""
    lead_id, before = event.id_of("lead_id"), event.payload["before"]
    language = await services.scoring.language_of(lead_id)
    tools = EventTools(services.runner, event.event_id, language)
    state = LeadState(lead_id=lead_id, before=None if before is None else int(str(before)))
    ended = await _graph().ainvoke(state, context=Scorer(tools))
    return str(ended["outcome"])


@cache
def _graph() -> LeadGraph:
    return build_lead_scoring()
