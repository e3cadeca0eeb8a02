"""How the audit speaks of money."""

from collections.abc import Mapping
from uuid import UUID

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.journal.audit import AuditEntry, Outcome, performed


def record_money(
    uow: UnitOfWork,
    action: str,
    *,
    about: UUID,
    actor: Actor,
    payload: Mapping[str, object],
    effect_key: str | None = None,
) -> None:
    """Record that money, or a claim to money, moved."""
    uow.audit(
        performed(actor, action, "MONEY", about=about, payload=payload, effect_key=effect_key)
    )


def record_attempt(
    uow: UnitOfWork, action: str, *, actor: Actor, error: str, payload: Mapping[str, object]
) -> None:
    """Record that a gateway did not do what was asked."""
    outcome: Outcome = "failed"
    uow.audit(
        AuditEntry(
            actor=actor,
            action=action,
            effect="MONEY",
            outcome=outcome,
            decision="allowed",
            error_code=error,
            payload=payload,
        )
    )
