"""What the audit says of the pipeline."""

from collections.abc import Mapping, Sequence

from crm.actor import Actor
from crm.ids import PersonId
from crm.journal.audit import AuditEntry


def written(
    action: str, about: PersonId, actor: Actor, payload: Mapping[str, object]
) -> AuditEntry:
    """Return the record of a change to what is known of a person."""
    return AuditEntry(
        actor=actor,
        action=action,
        effect="WRITE",
        outcome="ok",
        decision="allowed",
        payload=payload,
        about=about,
    )


def shown(action: str, people: Sequence[PersonId], actor: Actor, **payload: object) -> AuditEntry:
    """Return the record of having shown what is known of people."""
    return AuditEntry(
        actor=actor,
        action=action,
        effect="READ",
        outcome="ok",
        decision="allowed",
        payload={**payload, "people": list(people)},
        people=tuple(people),
    )
