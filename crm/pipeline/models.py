"""Leads and their stages: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType, TypedDict
from uuid import UUID

from crm.errors import Conflict, RuleBroken
from crm.ids import PersonId, StaffId
from crm.people.models import Locale

LeadId = NewType("LeadId", UUID)
Stage = Literal["inquiry", "lead", "applicant", "admitted", "enrolled", "lost"]
LeadSource = Literal[
    "widget", "whatsapp", "web_form", "referral", "event", "import", "staff", "enrolment"
]
LostReason = Literal["price", "schedule", "no_answer", "elsewhere", "not_eligible", "other"]
LeadSort = Literal["newest", "last_activity"]

#: The way forward, a step at a time.
FORWARD: tuple[Stage, ...] = ("inquiry", "lead", "applicant", "admitted", "enrolled")
#: Where a lead may go from each stage. Who was lost may come back; who enrolled stays enrolled.
TRANSITIONS: Mapping[Stage, frozenset[Stage]] = {
    "inquiry": frozenset({"lead", "lost"}),
    "lead": frozenset({"applicant", "lost"}),
    "applicant": frozenset({"admitted", "lost"}),
    "admitted": frozenset({"enrolled", "lost"}),
    "enrolled": frozenset(),
    "lost": frozenset({"inquiry", "lead"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Somebody's interest in a programme or a course, and how far it is.

    Args:
        term: the intake, e.g. `2027-1`; empty when it does not matter.
        language: in which the person wants to be talked to.
        staff_id: the advisor who looks after it.
    """

    id: LeadId
    person_id: PersonId
    source: LeadSource
    programme_code: str | None
    course_code: str | None
    term: str
    language: Locale
    stage: Stage
    lost_reason: LostReason | None
    staff_id: StaffId | None
    version: int
    created_at: datetime
    stage_since: datetime
    last_activity_at: datetime

    @property
    def is_open(self) -> bool:
        """Return whether it may still become an enrolment without coming back."""
        return is_open(self.stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLead:
    """A new interest; at most one of programme and course is named.

    Args:
        language: None is the person's own.
        staff_id: who looks after it; None leaves it to the assignment rule.
    """

    person_id: PersonId
    source: LeadSource
    programme_code: str | None = None
    course_code: str | None = None
    term: str = ""
    language: Locale | None = None
    stage: Literal["inquiry", "lead"] = "inquiry"
    staff_id: StaffId | None = None


class LeadChanges(TypedDict, total=False):
    """What to correct; a key that is absent stays as it is, None empties the field."""

    programme_code: str | None
    course_code: str | None
    term: str
    language: Locale


@dataclass(frozen=True, slots=True, kw_only=True)
class StageChange:
    """One line of a lead's history; the first comes from no stage."""

    id: UUID
    lead_id: LeadId
    from_stage: Stage | None
    to_stage: Stage
    reason: LostReason | None
    staff_id: StaffId | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFilters:
    """Which leads; None leaves a filter open.

    Args:
        query: words of the person's name, or a whole address of theirs.
        unassigned: only those nobody looks after.
    """

    stage: Stage | None = None
    staff_id: StaffId | None = None
    source: LeadSource | None = None
    programme_code: str | None = None
    course_code: str | None = None
    term: str | None = None
    language: Locale | None = None
    person_id: PersonId | None = None
    query: str | None = None
    unassigned: bool = False


def is_open(stage: Stage) -> bool:
    """Return whether a lead in this stage may still become an enrolment."""
    return stage not in ("enrolled", "lost")


def check_transition(before: Stage, after: Stage) -> None:
    """Let a lead go from a stage to another.

    Raises: RuleBroken("lead.transition").
    """
    if after not in TRANSITIONS[before]:
        raise RuleBroken("lead.transition", f"A lead does not go from {before} to {after}.")


def check_reason(after: Stage, reason: LostReason | None) -> None:
    """Ask for a reason exactly where one belongs.

    Raises: RuleBroken("lead.reason").
    """
    if (after == "lost") != (reason is not None):
        raise RuleBroken("lead.reason", "A lead is lost for a reason, and for nothing else.")


def check_interest(programme_code: str | None, course_code: str | None) -> None:
    """Let an interest be in one thing.

    Raises: RuleBroken("lead.interest").
    """
    if programme_code is not None and course_code is not None:
        raise RuleBroken("lead.interest", "A lead is about a programme or a course, not both.")


def check_current(lead: Lead, expected_version: int | None) -> None:
    """Refuse a change that was made without seeing the latest one.

    Raises: Conflict("lead.stale").
    """
    if expected_version is not None and lead.version != expected_version:
        raise Conflict("lead.stale", "Somebody else has changed this lead meanwhile.")


def way_to_enrolled(stage: Stage) -> tuple[Stage, ...]:
    """Return the stages that an open lead still has to go through to be enrolled, in order."""
    return FORWARD[FORWARD.index(stage) + 1 :]
