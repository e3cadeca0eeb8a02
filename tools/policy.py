"""Who may call what: pure rules over a tool's contract and the actor the session proved."""

from dataclasses import dataclass
from typing import Any, Literal

from crm.actor import Actor, IdentityLevel
from tools.spec import ToolSpec

Outcome = Literal["allowed", "refused", "needs_approval"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The policy's word on one call.

    Args:
        code: what the audit keeps: `allowed`, `approval.student`, `identity.level`, …
        message: why it was refused, safe for a model and a student.
    """

    outcome: Outcome
    code: str
    message: str = ""


ALLOWED = Decision("allowed", "allowed")
_STAFF_ONLY = Decision("refused", "tool.staff_only", "Only staff can do this.")
_ROLE = Decision("refused", "tool.role", "This role cannot do this.")
_LEVEL = {
    IdentityLevel.CHANNEL: Decision(
        "refused", "identity.level", "This needs a channel with a confirmed address."
    ),
    IdentityLevel.VERIFIED: Decision(
        "refused", "identity.level", "This needs a verified identity: a one-time code."
    ),
}


def decide(spec: ToolSpec[Any, Any], actor: Actor, *, confirmed: bool) -> Decision:
    """Decide whether the actor may make this call now.

    An agent changes nothing: it may do what the person it acts for may do, and no more.

    Args:
        confirmed: the exact call was approved by whoever has to.
    """
    refusal = _refusal(spec, actor)
    if refusal is not None:
        return refusal
    if spec.approval != "none" and not confirmed:
        return Decision("needs_approval", f"approval.{spec.approval}")
    return ALLOWED


def may_call(spec: ToolSpec[Any, Any], actor: Actor) -> bool:
    """Say whether the actor may call the tool at all, approval aside."""
    return _refusal(spec, actor) is None


def _refusal(spec: ToolSpec[Any, Any], actor: Actor) -> Decision | None:
    if actor.role is not None:
        return None if actor.role in spec.roles else _ROLE
    if not spec.students:
        return _STAFF_ONLY
    return None if actor.level >= spec.min_level else _LEVEL[spec.min_level]
