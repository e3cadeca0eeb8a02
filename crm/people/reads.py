"""How the journal is told whose records were shown."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.journal.audit import performed
from crm.people.authority import audits_reads


def record_read(
    uow: UnitOfWork,
    action: str,
    *,
    actor: Actor,
    people: Iterable[UUID],
    payload: Mapping[str, object] | None = None,
) -> None:
    """Record what staff saw; the tool runner does so for agents, students read their own."""
    if audits_reads(actor):
        uow.audit(performed(actor, action, "READ", people=people, payload=payload))
