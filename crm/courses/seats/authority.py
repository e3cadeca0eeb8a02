"""Who may take, give back and see seats."""

from crm.actor import Actor, Role
from crm.errors import Denied, NotFound, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import PersonId
from crm.people.authority import owner_of

MAX_REASON = 500


def seat_owner(actor: Actor, *, write: bool = True) -> PersonId | None:
    """Return the only person whose seats the actor may touch; None for staff, who may all.

    Raises: Denied("auth.role" | "identity.level").
    """
    if actor.is_staff:
        require(actor, Area.ENROLMENTS, write=write)
    return owner_of(actor)


def check_person(actor: Actor, person_id: PersonId) -> None:
    """Let staff act for anybody, and a student for themself.

    Raises: NotFound("person.unknown"); Denied("auth.role" | "identity.level").
    """
    if seat_owner(actor) not in (None, person_id):
        raise NotFound("person.unknown", "There is no such person.")


def check_waiver(actor: Actor, waiver: str | None) -> None:
    """Let advisors and admins, in person and with a reason, pass over prerequisites.

    Raises: Denied("enrolment.waiver"); RuleBroken("enrolment.waiver").
    """
    if waiver is None:
        return
    if actor.role not in (Role.ADVISOR, Role.ADMIN) or actor.agent is not None:
        raise Denied("enrolment.waiver", "Only an advisor may pass over prerequisites.")
    check_reason(waiver, "enrolment.waiver")


def check_reason(reason: str, code: str) -> None:
    """Check that a reason says something, and not too much.

    Raises: RuleBroken(code).
    """
    if not 0 < len(reason.strip()) <= MAX_REASON:
        raise RuleBroken(code, f"Give a reason of at most {MAX_REASON} characters.")
