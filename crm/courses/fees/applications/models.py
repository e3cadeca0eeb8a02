"""An application for a scholarship, and the states it goes through."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crm.courses.fees.models import ApplicationId
from crm.errors import RuleBroken
from crm.ids import PersonId, StaffId

ApplicationStatus = Literal["requested", "awarded", "declined", "used"]

MAX_TEXT = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Somebody's request for a scholarship and what became of it.

    Args:
        status: an award is `used` once a price that rests on it was accepted.
    """

    id: ApplicationId
    scholarship_code: str
    person_id: PersonId
    status: ApplicationStatus
    requested_at: datetime
    decided_at: datetime | None
    decided_by: StaffId | None


@dataclass(frozen=True, slots=True)
class ApplicationDetail:
    """An application with its texts; None for what was erased, or not yet written.

    Args:
        statement: what the person wrote.
        answer: what staff wrote when they decided.
    """

    application: Application
    statement: str | None
    answer: str | None


def check_text(text: str) -> None:
    """Check what a person or a member of staff wrote.

    Raises: RuleBroken("scholarship.text"): too long.
    """
    if len(text) > MAX_TEXT:
        raise RuleBroken("scholarship.text", f"A text has at most {MAX_TEXT} characters.")


def check_undecided(status: ApplicationStatus) -> None:
    """Check that nobody has decided on an application.

    Raises: RuleBroken("scholarship.decided").
    """
    if status != "requested":
        raise RuleBroken("scholarship.decided", "This application has been decided.")
