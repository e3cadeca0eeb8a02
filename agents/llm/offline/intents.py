"""What a student can want, as the offline model understands it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

IntentName = Literal[
    "greeting", "thanks", "goodbye", "about_agent", "abuse", "unclear", "out_of_scope",
    "declined", "pick_course",
    "course_facts", "course_search", "recommend", "programme", "scholarships", "knowledge", "enrol",
    "join_waitlist", "leave_waitlist", "my_waitlist", "accept_offer", "withdraw", "transfer",
    "my_payments", "pay", "my_certificates", "stop_contact", "allow_contact",
    "my_profile", "my_enrolments", "my_tickets", "verify", "open_ticket", "data_rights",
    "hand_off", "danger", "others_data", "override", "why_not", "dismiss",
    "appointment", "my_appointments", "move_appointment", "cancel_appointment",
]  # fmt: skip

#: Said beside something else they need no answer of their own.
COURTESIES = frozenset({"greeting", "thanks", "goodbye", "unclear"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a course has to be like.

    Args:
        part_of_day: `morning`, `afternoon` or `evening`.
        cheap: the student asked for something that costs little.
    """

    language: str = ""
    modality: str = ""
    level: str = ""
    part_of_day: str = ""
    weekend: bool = False
    cheap: bool = False
    max_price_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One thing that a student wants.

    Args:
        raw: the words as they were typed.
        text: the words in plain form.
        topic: the subject of a course or programme, in the student's words.
        code: a course's code, named or remembered.
        facets: what is asked of a course: `price`, `start`, `schedule`, …
        field: of the institution's documents: `payments`, `refunds`, …
        person: whom a student asks about who is not themselves.
        named: the words name a course by its subject.
        upset: the words were abusive.
        parts: in how many instalments they want to pay; 0 where nothing was said.
        wish: they say what somebody would like to learn, so that a course is the answer.
    """

    name: IntentName
    raw: str = ""
    text: str = ""
    topic: str = ""
    code: str = ""
    facets: tuple[str, ...] = ()
    filters: Filters = Filters()
    field: str = ""
    person: str = ""
    named: bool = False
    upset: bool = False
    wish: bool = False
    parts: int = 0


@dataclass(frozen=True, slots=True)
class Remembered:
    """What earlier turns left.

    Args:
        courses: codes and titles, the last spoken of first.
        advice: what was last asked of `recommend_courses`.
        open_task: what the agent asked for, e.g. `open_ticket`.
        subject: what that is about, e.g. a group's code.
        offered: `handoff` or `verify`.
    """

    courses: tuple[Mapping[str, str], ...] = ()
    open_task: str = ""
    subject: str = ""
    offered: str = ""
    advice: Mapping[str, object] = field(default_factory=dict)

    def course(self, place: int = 0) -> str:
        """Return a remembered course's code, or nothing."""
        return str(self.courses[place].get("code", "")) if place < len(self.courses) else ""
