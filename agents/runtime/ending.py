"""What a run ends in: a reply, a question for consent, or an apology."""

import json
from typing import Any

from agents.runtime.asking import ask_for_consent
from agents.runtime.guards.input import input_flags
from agents.runtime.ports import Outcome, RunEnd, Situation, Speaker
from agents.runtime.turn import Turn
from agents.strings import say

#: Every turn reads the memory and puts it into the brief.
_MEMORY_CHARACTERS = 8_000


def outcome_of(
    turn: Turn, situation: Situation, state: dict[str, Any], *, speaker: Speaker, latency_ms: int
) -> Outcome:
    """Return what is to be stored of a run.

    Args:
        state: the graph's last state; `failed` in it holds the code of a failure of ours.
    """
    status, reply, actions = _ending(turn, state)
    return Outcome(
        status=status,
        reply=reply,
        locale=turn.locale,
        speaker=speaker,
        steps=state.get("step", 0),
        latency_ms=latency_ms,
        citations=state.get("citations", []) if status == "completed" else [],
        actions=actions,
        memory=_bounded(state.get("memory", situation.memory), situation.memory),
        tool_calls=turn.usage.tool_calls,
        tokens_in=turn.usage.tokens_in,
        tokens_out=turn.usage.tokens_out,
        cost_micros=turn.usage.cost_micros,
        error_code=state.get("failed"),
        degraded=turn.degraded,
        flags=_flags(situation, state),
    )


def _flags(situation: Situation, state: dict[str, Any]) -> tuple[str, ...]:
    """Return what the guards noted; of a run that failed, what its messages show."""
    if "brief" in state:
        noted: tuple[str, ...] = state["brief"].flags
        return noted
    return input_flags(message.text for message in situation.answering)


def _bounded(memory: dict[str, object], before: dict[str, object]) -> dict[str, object]:
    """Return the memory, or the one before when a model has blown it up."""
    return memory if len(json.dumps(memory, default=str)) <= _MEMORY_CHARACTERS else before


def _ending(turn: Turn, state: dict[str, Any]) -> tuple[RunEnd, str, list[dict[str, object]]]:
    if "failed" in state:
        return "failed", say(turn.locale, "turn.failed"), [{"type": "handoff_offer"}]
    if state.get("__interrupt__"):
        asked = state["__interrupt__"][0].value
        return "waiting", ask_for_consent(asked, turn.locale), [{"type": "confirmation", **asked}]
    return "completed", state["reply"], state.get("actions", [])
