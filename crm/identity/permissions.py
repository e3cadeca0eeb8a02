"""Which roles may do what: one table, no exceptions elsewhere."""

from collections.abc import Mapping
from enum import StrEnum

from crm.actor import Actor, Role
from crm.errors import Denied


class Area(StrEnum):
    """A part of the house that staff work in."""

    PEOPLE = "people"
    CATALOGUE = "catalogue"
    CONVERSATIONS = "conversations"
    TICKETS = "tickets"
    APPOINTMENTS = "appointments"
    KNOWLEDGE = "knowledge"
    RUNS = "runs"
    AUDIT = "audit"
    POLICY = "policy"
    STAFF = "staff"
    PIPELINE = "pipeline"
    ENROLMENTS = "enrolments"
    PAYMENTS = "payments"
    ANALYTICS = "analytics"
    IMPORTS = "imports"
    EVENTS = "events"
    ERASURE = "erasure"


_EVERYBODY = frozenset(Role)
_ADVISOR_ADMIN = frozenset({Role.ADVISOR, Role.ADMIN})
_ADMIN_SERVICE = frozenset({Role.ADMIN, Role.SERVICE})
_ADMIN = frozenset({Role.ADMIN})

MAY_READ: Mapping[Area, frozenset[Role]] = {
    Area.PEOPLE: _EVERYBODY,
    Area.CATALOGUE: _EVERYBODY,
    Area.CONVERSATIONS: _EVERYBODY,
    Area.TICKETS: _EVERYBODY,
    Area.APPOINTMENTS: _EVERYBODY,
    Area.KNOWLEDGE: _EVERYBODY,
    Area.RUNS: _ADMIN_SERVICE,
    Area.AUDIT: _ADMIN,
    Area.POLICY: _ADMIN_SERVICE,
    Area.STAFF: _ADMIN_SERVICE,
    Area.PIPELINE: _EVERYBODY,
    Area.ENROLMENTS: _EVERYBODY,
    Area.PAYMENTS: _EVERYBODY,
    Area.ANALYTICS: _EVERYBODY,
    Area.IMPORTS: _ADMIN_SERVICE,
    Area.EVENTS: _ADMIN_SERVICE,
    Area.ERASURE: _ADMIN_SERVICE,
}
MAY_WRITE: Mapping[Area, frozenset[Role]] = {
    Area.PEOPLE: _EVERYBODY,
    Area.CATALOGUE: _ADMIN_SERVICE,
    Area.CONVERSATIONS: _ADVISOR_ADMIN,
    Area.TICKETS: _EVERYBODY,
    Area.APPOINTMENTS: _EVERYBODY,
    Area.KNOWLEDGE: _ADMIN_SERVICE,
    Area.RUNS: frozenset({Role.SERVICE}),
    Area.AUDIT: frozenset(),
    Area.POLICY: _ADMIN,
    Area.STAFF: _ADMIN_SERVICE,
    Area.PIPELINE: _EVERYBODY,
    Area.ENROLMENTS: _EVERYBODY,
    Area.PAYMENTS: _EVERYBODY,
    Area.ANALYTICS: frozenset({Role.SERVICE}),
    Area.IMPORTS: _ADMIN_SERVICE,
    Area.EVENTS: _ADMIN_SERVICE,
    Area.ERASURE: _ADMIN_SERVICE,
}


def may(actor: Actor, area: Area, *, write: bool = False) -> bool:
    """Return whether the actor's role opens the area; a student has none."""
    table = MAY_WRITE if write else MAY_READ
    return actor.role in table[area]


def require(actor: Actor, area: Area, *, write: bool = False) -> None:
    """Let the actor into the area.

    Raises: Denied("auth.role").
    """
    if not may(actor, area, write=write):
        raise Denied("auth.role", "Your role does not allow this.")
