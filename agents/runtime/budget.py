"""What one run may use up: calls of a model, tokens, money."""

from collections.abc import Iterator, Sequence

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.runtime import Runtime

from agents.runtime.state import AgentState
from agents.runtime.turn import Turn


def after_model(state: AgentState, runtime: Runtime[Turn]) -> str:
    """Go on while the model asks for tools and the budgets last."""
    last = state["messages"][-1]
    asks = getattr(last, "tool_calls", None) or getattr(last, "invalid_tool_calls", None)
    spent = spent_budget(runtime.context, state["messages"], steps=state["step"])
    return "tools" if asks and spent is None else "answer"


def spent_budget(turn: Turn, messages: Sequence[AnyMessage], *, steps: int) -> str | None:
    """Return the code of the budget that this run has used up, or None.

    Tokens are counted from the messages, which outlive an interrupt; the turn's own count does not.

    Args:
        messages: the window and what the run added to it.
        steps: model calls made so far.
    """
    if steps >= turn.max_steps:
        return "budget.steps"
    tokens_in, tokens_out = _tokens_of(messages)
    if turn.max_tokens is not None and tokens_in + tokens_out >= turn.max_tokens:
        return "budget.tokens"
    if turn.max_cost_micros is None:
        return None
    spent = turn.provider.cost_micros(tokens_in, tokens_out)
    return "budget.cost" if spent >= turn.max_cost_micros else None


def _tokens_of(messages: Sequence[AnyMessage]) -> tuple[int, int]:
    used = [m.usage_metadata for m in _this_run(messages) if m.usage_metadata is not None]
    return sum(u["input_tokens"] for u in used), sum(u["output_tokens"] for u in used)


def _this_run(messages: Sequence[AnyMessage]) -> Iterator[AIMessage]:
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return
        if isinstance(message, AIMessage):
            yield message
