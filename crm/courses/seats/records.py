"""What the journal keeps of what is done with seats."""

from collections.abc import Mapping
from uuid import UUID

from crm.actor import Actor
from crm.journal.audit import AuditEntry


def change_of(
    actor: Actor, action: str, *, about: UUID, payload: Mapping[str, object]
) -> AuditEntry:
    """Return the record of a change, sealed under the key of whom it is about."""
    return AuditEntry(
        actor=actor,
        action=action,
        effect="WRITE",
        outcome="ok",
        decision="allowed",
        about=about,
        payload=payload,
    )


def reading_of(actor: Actor, action: str, people: tuple[UUID, ...]) -> AuditEntry:
    """Return the record of a reading and of whom it showed."""
    return AuditEntry(
        actor=actor,
        action=action,
        effect="READ",
        outcome="ok",
        decision="allowed",
        payload={"people": list(people)},
        people=people,
    )
