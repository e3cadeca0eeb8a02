"""One call on its way: what is known of it so far, and the audit record that this makes."""

from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any
from uuid import UUID

from crm.journal.audit import AuditEntry, Outcome, canonical
from crm.journal.audit import Effect as AuditedEffect
from tools.context import ToolContext
from tools.outputs import ToolOutput
from tools.results import Failed, Ok, Refused
from tools.spec import Effect, ToolSpec

#: A larger result is kept in the audit by its citations alone.
_RESULT_BYTES = 16_384
_EFFECTS: dict[Effect, AuditedEffect] = {
    Effect.READ: "READ",
    Effect.WRITE: "WRITE",
    Effect.MONEY: "MONEY",
    Effect.OUTBOUND: "OUTBOUND",
}


@dataclass(slots=True, kw_only=True)
class Attempt:
    """A call under way, filled in as it advances.

    Args:
        action: what is filed while no tool is known.
        effect_key: of the effect that the call may have.
        arguments: what the audit keeps of them: as asked for, then as validated.
        decision: the policy's last word.
        approval_id: the confirmation, or the suggestion to advisors, that it made or carries out.
        by_advisor: staff agreed; there is no confirmation to close.
    """

    context: ToolContext
    action: str
    effect_key: str
    arguments: dict[str, object]
    spec: ToolSpec[Any, Any] | None = None
    step: int | None = None
    index: int | None = None
    decision: str = "unchecked"
    approval_id: UUID | None = None
    by_advisor: bool = False
    started: float = field(default_factory=perf_counter)

    @property
    def name(self) -> str:
        """Return what the call is filed under."""
        return self.spec.name if self.spec else self.action

    def done(self, result: Ok, output: ToolOutput) -> AuditEntry:
        """Return the record of a call that was carried out."""
        kept = output.recorded()
        if len(canonical(kept)) > _RESULT_BYTES:
            kept = {"omitted": "large"}
        cited = [[source.url, source.version] for source in result.sources]
        entry = self._entry("ok", {"result": kept, "citations": cited})
        return replace(entry, people=(*entry.people, *output.others_shown()))

    def replayed(self) -> AuditEntry:
        """Return the record of a call whose effect had been made before: it had none."""
        self.decision = "replayed"
        return self._entry("ok", {})

    def frozen(self, confirmation_id: UUID) -> AuditEntry:
        """Return the record of a call that waits for a decision."""
        self.approval_id = confirmation_id
        return self._entry("needs_confirmation", {})

    def ended(self, result: Refused | Failed) -> AuditEntry:
        """Return the record of a call that policy, a rule or a fault ended."""
        return self._entry(result.status, {}, error_code=result.code)

    def aborted(self) -> AuditEntry:
        """Return the record of a call whose caller gave up."""
        return self._entry("aborted", {})

    def _shown(self, outcome: Outcome) -> tuple[UUID, ...]:
        """Return whose record the call showed: a personal read shows the student's own."""
        spec, person_id = self.spec, self.context.actor.person_id
        read = spec is not None and spec.personal and _EFFECTS[spec.effect] == "READ"
        return (person_id,) if read and outcome == "ok" and person_id is not None else ()

    def _entry(
        self, outcome: Outcome, payload: dict[str, object], *, error_code: str | None = None
    ) -> AuditEntry:
        context, spec = self.context, self.spec
        effect = _EFFECTS[spec.effect] if spec and self.decision != "replayed" else "NONE"
        return AuditEntry(
            actor=context.actor,
            action=self.name,
            action_version=spec.version if spec else 1,
            effect=effect,
            outcome=outcome,
            decision=self.decision,
            payload=payload,
            arguments=self.arguments,
            people=self._shown(outcome),
            chain_id=context.conversation_id,
            conversation_id=context.conversation_id,
            run_id=context.run_id,
            step=self.step,
            call_index=self.index,
            approval_id=self.approval_id,
            effect_key=self.effect_key if effect not in ("READ", "NONE") else None,
            error_code=error_code,
            latency_ms=round((perf_counter() - self.started) * 1000),
        )
