"""A frozen call: exactly what will be executed when its person agrees."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from crm.actor import Actor
from crm.ids import ConfirmationId
from crm.journal.audit import AuditEntry, canonical
from crm.journal.events import DomainEvent

Decision = Literal["accept", "reject"]


class ConfirmationStatus(StrEnum):
    """Where a frozen call stands; only `pending` can be decided."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    EXECUTED = "executed"
    FAILED = "failed"


_AGREED = {ConfirmationStatus.ACCEPTED, ConfirmationStatus.EXECUTED, ConfirmationStatus.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenCall:
    """A tool call that waits for consent.

    Args:
        call_key: run, step and index; the same call is frozen once.
        quote_id: the price it was shown with.
        hold_id: the seat it was shown with.
        summary: what acceptance does, as it was shown.
    """

    conversation_id: UUID
    run_id: UUID
    call_key: str
    tool: str
    tool_version: int
    tool_call_id: str
    effect: str
    arguments: dict[str, object]
    summary: str
    price_minor: int | None = None
    currency: str | None = None
    quote_id: str | None = None
    hold_id: str | None = None

    def frozen_hash(self) -> bytes:
        """Return the SHA-256 of what must not change between showing and executing."""
        return hashlib.sha256(
            canonical(
                [
                    self.tool,
                    self.tool_version,
                    self.arguments,
                    self.price_minor,
                    self.currency,
                    self.quote_id,
                    self.hold_id,
                ]
            )
        ).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A frozen call with its decision.

    Args:
        stored_hash: the hash taken when it was frozen; compare it with `call.frozen_hash()`.
    """

    id: ConfirmationId
    call: FrozenCall
    stored_hash: bytes
    status: ConfirmationStatus
    created_at: datetime
    expires_at: datetime

    @property
    def agreed(self) -> bool:
        """Return whether its person said yes, whatever came of it."""
        return self.status in _AGREED

    @property
    def unchanged(self) -> bool:
        """Return whether the stored call is still the one that was shown."""
        return self.stored_hash == self.call.frozen_hash()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationDecided(DomainEvent):
    """A person agreed or declined."""

    conversation_id: UUID
    confirmation_id: UUID
    decision: str


def decision_entry(confirmation: Confirmation, decision: Decision, actor: Actor) -> AuditEntry:
    """Return the audit record of a decision."""
    call = confirmation.call
    return AuditEntry(
        actor=actor,
        action="confirmation.decide",
        effect="WRITE",
        outcome="ok",
        decision=decision,
        arguments={"tool": call.tool, "arguments": call.arguments},
        chain_id=call.conversation_id,
        conversation_id=call.conversation_id,
        run_id=call.run_id,
        approval_id=confirmation.id,
    )


_YES = re.compile(
    r"(?:s[ií]+|claro|dale|ok(?:ay)?|de acuerdo|confirmo|acepto|adelante|por supuesto"
    r"|yes+|yep|yeah|sure|confirm(?:ed)?|i (?:agree|confirm|accept)|go ahead|please do)"
    r"(?:[ ,]+(?:por favor|gracias|please|thanks|thank you|confirmo|acepto|claro|adelante))*"
)
_NO = re.compile(
    r"(?:no+|nope|mejor no|cancela(?:r|lo)?|no gracias|no thanks|cancel(?: it)?|don't"
    r"|rechazo|prefiero que no)(?:[ ,]+(?:gracias|thanks|por favor|please|thank you))*"
)


def typed_decision(text: str) -> Decision | None:
    """Return the decision that a message states and nothing else, by rule.

    Anything more than a plain yes or no is a message to be answered, never a decision.
    """
    said = re.sub(r"[\s.!¡¿?]+", " ", text.lower()).strip(" ,")
    if _YES.fullmatch(said):
        return "accept"
    return "reject" if _NO.fullmatch(said) else None
