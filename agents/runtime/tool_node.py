"""The graph node that carries out what a model asked for; the only way to an effect."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agents.runtime.state import AgentState
from agents.runtime.turn import AskedCall, Turn
from tools.results import NeedsConfirmation, Ok, Refused, Source, ToolResult
from tools.spec import Effect

#: Calls of one model output that are carried out; a model that asks for more is refused the rest.
MAX_CALLS = 8
_TOO_MANY = Refused("budget.calls", "Too many calls at once.")


async def call_tools(state: AgentState, runtime: Runtime[Turn]) -> dict[str, object]:
    """Carry out the calls of the last model output, in order.

    A call that needs consent interrupts the graph. On resuming, this node runs again from its
    start: effects that were made replay by their keys, reads are read again.
    """
    turn, last = runtime.context, state["messages"][-1]
    # A resumed run has not passed the node that chooses.
    turn.agent = state.get("agent", turn.agent)
    asked = calls_of(last, step=state["step"] - 1)
    answers = [_tool_message(a, await _carry_out(turn, a)) for a in asked[:MAX_CALLS]]
    if extra := asked[MAX_CALLS:]:
        await turn.tools.refuse(extra, code="budget.calls")
        answers += [_tool_message(a, _TOO_MANY) for a in extra]
    return {"messages": answers}


def calls_of(message: AnyMessage, *, step: int) -> list[AskedCall]:
    """Return what a model output asks for, in order."""
    if not isinstance(message, AIMessage):
        return []
    asked: list[tuple[str, object, str | None]] = [
        (c["name"], c["args"], c["id"]) for c in message.tool_calls
    ]
    # Arguments that are no JSON reach the runner as they are: it refuses them and says why.
    asked += [(c["name"] or "", c["args"], c["id"]) for c in message.invalid_tool_calls]
    return [
        AskedCall(name, arguments, step, index, call_id or f"call-{index}")
        for index, (name, arguments, call_id) in enumerate(asked)
    ]


async def _carry_out(turn: Turn, asked: AskedCall) -> ToolResult:
    spec = next((s for s in turn.tools.available() if s.name == asked.name), None)
    # A name that a model made up may hold anything; the student does not see it.
    shown = spec.name if spec else "unknown"
    await turn.emit("tool_started", {"tool": shown})
    result = await turn.tools.call(asked)
    if isinstance(result, NeedsConfirmation):
        result = await _with_consent(turn, result)
    turn.usage.tool_calls += 1
    turn.usage.effects += spec is not None and spec.effect is not Effect.READ
    turn.results.append((asked.name, result))
    await turn.emit("tool_finished", {"tool": shown, "status": result.status})
    return result


async def _with_consent(turn: Turn, asked: NeedsConfirmation) -> ToolResult:
    """Stop here until the student has decided, then do exactly what was frozen."""
    decided = interrupt(
        {
            "confirmation_id": str(asked.confirmation_id),
            "tool": asked.tool,
            "summary": asked.summary,
            "expires_at": asked.expires_at.isoformat(),
            "price_minor": asked.price_minor,
            "currency": asked.currency,
        }
    )
    if not decided["accepted"]:
        return Refused("confirmation.rejected", "The student declined.")
    return await turn.tools.execute_confirmed(UUID(str(asked.confirmation_id)))


def _tool_message(asked: AskedCall, result: ToolResult) -> ToolMessage:
    sources = result.sources if isinstance(result, Ok) else ()
    return ToolMessage(
        content=json.dumps(_content(result, sources), ensure_ascii=False, default=str),
        artifact=[asdict(s) for s in sources],
        name=asked.name,
        tool_call_id=asked.call_id,
        status="success" if isinstance(result, Ok) else "error",
    )


def _content(result: ToolResult, sources: tuple[Source, ...]) -> dict[str, object]:
    if isinstance(result, Ok):
        cited = [{"ref": s.ref, "title": s.title} for s in sources]
        return {"status": "ok", "data": result.data, "sources": cited}
    if isinstance(result, NeedsConfirmation):
        return {"status": result.status, "summary": result.summary}
    return {"status": result.status, "code": result.code, "message": result.message}


def sources_of(messages: Sequence[object]) -> dict[str, Source]:
    """Return every source that the tool messages carry, by its short name."""
    found: dict[str, Source] = {}
    for message in messages:
        if isinstance(message, ToolMessage):
            for kept in message.artifact or ():
                found[kept["ref"]] = Source(**kept)
    return found
