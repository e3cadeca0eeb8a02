"""What happened with a person: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from crm.errors import RuleBroken
from crm.ids import PersonId, StaffId
from crm.journal.audit import canonical
from crm.pipeline.models import LeadId

ActivityKind = Literal[
    "page_visit",
    "message",
    "call",
    "email",
    "form",
    "meeting",
    "note",
    "stage",
    "task",
    "enrolment",
    "withdrawal",
    "payment",
]
#: What staff write down themselves; the rest is written down by what causes it.
StaffActivityKind = Literal["message", "call", "email", "meeting", "form", "note"]
Direction = Literal["in", "out"]
Fact = str | int | bool | None

ABOUT_MAX_BYTES = 8_000
_CONTACTS = frozenset({"message", "call", "email", "meeting"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Something that happened with a person.

    Args:
        about: ids and short facts; `text` holds a note.
        source_key: names the happening: it is noted once, however often it is told.
    """

    id: UUID
    person_id: PersonId
    lead_id: LeadId | None
    kind: ActivityKind
    direction: Direction | None
    about: Mapping[str, Fact]
    source_key: str | None
    staff_id: StaffId | None
    occurred_at: datetime


def is_contact(kind: ActivityKind, direction: Direction | None) -> bool:
    """Return whether the institution reached out to the person."""
    return direction == "out" and kind in _CONTACTS


def plain_facts(about: Mapping[str, object]) -> dict[str, Fact]:
    """Return facts as they are stored; ids and times become text.

    Raises: RuleBroken("activity.about"): nested, or too long; a million of them are read.
    """
    facts = {name: _plain(value) for name, value in about.items()}
    if len(canonical(facts)) > ABOUT_MAX_BYTES:
        raise RuleBroken("activity.about", "This is too long to note.")
    return facts


def _plain(value: object) -> Fact:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, UUID | date):
        return str(value)
    raise RuleBroken("activity.about", "Only short facts can be noted.")
