"""Who acts: a student, a member of staff, or a service; perhaps through an agent."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal

from crm.ids import INSTITUTION, PersonId, StaffId, SubjectId

LevelWord = Literal["visitor", "channel", "verified"]


class IdentityLevel(IntEnum):
    """How well a student's identity is known; higher includes lower."""

    VISITOR = 0
    CHANNEL = 1
    VERIFIED = 2

    @property
    def word(self) -> LevelWord:
        """Return the level as the API and the agents name it."""
        return _WORDS[self]


_WORDS: dict[IdentityLevel, LevelWord] = {
    IdentityLevel.VISITOR: "visitor",
    IdentityLevel.CHANNEL: "channel",
    IdentityLevel.VERIFIED: "verified",
}


class Role(StrEnum):
    """What a member of staff, or a process of ours, may do."""

    ADVISOR = "advisor"
    ADMIN = "admin"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """Which agent acts for the actor, with the model and prompt that speak for it."""

    name: str
    model: str
    prompt_version: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, with no more authority than the session proved.

    Args:
        subject_id: the key ring that seals what is recorded about this actor's request.
        level: a student's identity level; staff are always `VERIFIED`.
        person_id: the student, once known.
        staff_id: the member of staff.
        role: set for staff and services, never for students.
        agent: set when an agent acts on the actor's behalf.
    """

    subject_id: SubjectId
    level: IdentityLevel = IdentityLevel.VISITOR
    person_id: PersonId | None = None
    staff_id: StaffId | None = None
    role: Role | None = None
    agent: AgentIdentity | None = None

    @property
    def kind(self) -> str:
        """Return `student`, `staff` or `service`."""
        if self.role is None:
            return "student"
        return "service" if self.role is Role.SERVICE else "staff"

    @property
    def is_staff(self) -> bool:
        """Return whether a member of staff or a service asks."""
        return self.role is not None


#: Work that nobody asked for in person: timers, imports, relays.
SERVICE_ACTOR = Actor(subject_id=INSTITUTION, level=IdentityLevel.VERIFIED, role=Role.SERVICE)
