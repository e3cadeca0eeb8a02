"""Holds of seats and waitlists: what they are, and their pure rules."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal, NewType
from uuid import UUID
from zoneinfo import ZoneInfo

from crm.courses.models import Bilingual, Cohort, CohortId
from crm.errors import RuleBroken
from crm.ids import PersonId

HoldId = NewType("HoldId", UUID)
EntryId = NewType("EntryId", UUID)

HoldKind = Literal["student", "offer"]
HoldStatus = Literal["live", "confirmed", "released", "expired"]
EntryStatus = Literal["waiting", "offered", "enrolled", "declined", "expired", "left"]

#: A hold is for making up one's mind or paying, not for reserving a term ahead.
LONGEST_HOLD = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class SeatPolicy:
    """What an institution decides about its seats.

    Args:
        offer_life: how long a seat is offered to one who waited.
        hold_life: how long a seat is held when nobody says otherwise.
        time_zone: the institution's; it decides which day it is when enrolment closes.
    """

    offer_life: timedelta = timedelta(hours=48)
    hold_life: timedelta = timedelta(minutes=30)
    time_zone: str = "America/Lima"


DEFAULT_POLICY = SeatPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatHold:
    """A seat kept for one person for a while.

    Args:
        waived: staff let the person in without the prerequisites.
        effect_key: whose it is to confirm or release; None leaves it for the taking by the
            person's next hold of that cohort.
        entry_id: of the waitlist, for an offer.
    """

    id: HoldId
    cohort_id: CohortId
    person_id: PersonId
    kind: HoldKind
    status: HoldStatus
    waived: bool
    effect_key: str | None
    entry_id: EntryId | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistEntry:
    """A person's place in the queue for a cohort.

    Args:
        priority: the higher goes first; equals by the time they joined.
        hold_id: the offer, once there was one.
    """

    id: EntryId
    cohort_id: CohortId
    person_id: PersonId
    priority: int
    waived: bool
    status: EntryStatus
    joined_at: datetime
    ended_at: datetime | None
    hold_id: HoldId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A place in a queue as the one who waits sees it.

    Args:
        ahead: how many go first.
        offer_until: until when a seat is theirs; None without an offer.
    """

    cohort_code: str
    course_title: Bilingual
    ahead: int
    offer_until: datetime | None


@dataclass(frozen=True, slots=True)
class Room:
    """Seats of a cohort to offer to those who wait, until a time."""

    cohort_id: CohortId
    seats: int
    expires_at: datetime


def check_open(cohort: Cohort, at: datetime, policy: SeatPolicy) -> None:
    """Check that newcomers may enrol in a cohort now, whatever its seats.

    Raises: RuleBroken("cohort.closed").
    """
    if cohort.status != "open" or at >= closing_time(cohort, policy):
        raise RuleBroken("cohort.closed", "Enrolment in this cohort is closed.")


def check_life(life: timedelta) -> None:
    """Check how long a hold is to last.

    Raises: RuleBroken("hold.life").
    """
    if not timedelta(0) < life <= LONGEST_HOLD:
        raise RuleBroken("hold.life", "A seat is held for up to 14 days.")


def closing_time(cohort: Cohort, policy: SeatPolicy) -> datetime:
    """Return the moment at which the last day for enrolling is over."""
    following = cohort.enrolment_closes + timedelta(days=1)
    return datetime.combine(following, time(), ZoneInfo(policy.time_zone))


def room_for_offers(cohort: Cohort, at: datetime, policy: SeatPolicy) -> Room | None:
    """Return which seats to offer; no offer outlives the last day for enrolling."""
    closes = closing_time(cohort, policy)
    if cohort.status != "open" or at >= closes or cohort.seats_left == 0:
        return None
    return Room(cohort.id, cohort.seats_left, min(at + policy.offer_life, closes))
