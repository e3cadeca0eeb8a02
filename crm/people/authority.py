"""Who may see or change a person: pure rules."""

from collections.abc import Iterable

from crm.actor import Actor, IdentityLevel
from crm.errors import Conflict, Denied, RuleBroken
from crm.ids import PersonId
from crm.people.models import OWN_FIELDS, Person, PersonStatus


def owner_of(actor: Actor) -> PersonId | None:
    """Return the only person the actor may see, or None for staff, who may see all.

    Raises: Denied("identity.level"): a student whose identity is not proven.
    """
    if actor.is_staff:
        return None
    if actor.level < IdentityLevel.VERIFIED or actor.person_id is None:
        raise Denied("identity.level", "Verify your identity first.")
    return actor.person_id


def require_staff(actor: Actor) -> None:
    """Let staff and services pass.

    Raises: Denied("auth.staff").
    """
    if not actor.is_staff:
        raise Denied("auth.staff", "Only staff may do this.")


def check_fields(fields: Iterable[str], actor: Actor) -> None:
    """Let students change only what is theirs to change.

    Raises: Denied("person.field").
    """
    if not actor.is_staff and not OWN_FIELDS.issuperset(fields):
        raise Denied("person.field", "Only staff may change this field.")


def check_active(status: PersonStatus) -> None:
    """Refuse to change what was merged or erased.

    Raises: RuleBroken("person.inactive").
    """
    if status != "active":
        raise RuleBroken("person.inactive", "This person was merged or erased.")


def check_current(person: Person, expected_version: int) -> None:
    """Refuse a change that was made without seeing the latest one.

    Raises: Conflict("person.stale"), RuleBroken("person.inactive").
    """
    check_active(person.status)
    if person.version != expected_version:
        raise Conflict("person.stale", "Somebody else has changed this person meanwhile.")


def audits_reads(actor: Actor) -> bool:
    """Return whether reads are audited here; the tool runner does it for agents and students."""
    return actor.is_staff and actor.agent is None
