"""What may be suggested to an advisor, to whom first, and how often: pure rules."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NewType
from uuid import UUID

from crm.errors import Conflict, Denied, RuleBroken
from crm.ids import PersonId, StaffId
from crm.journal.audit import canonical
from crm.people.models import Locale
from crm.pipeline.models import LeadId

ActionId = NewType("ActionId", UUID)
ActionKind = Literal[
    "call", "reply", "send_template", "offer_cohort", "chase_document", "approve", "take_over"
]
ActionStatus = Literal["open", "accepted", "dismissed", "expired", "withheld"]
DismissReason = Literal["not_useful", "wrong_person", "wrong_moment", "done_already", "other"]

#: What reaches out to somebody who did not ask: bound by caps and consent, and sometimes withheld.
PROACTIVE: frozenset[ActionKind] = frozenset({"call", "send_template", "offer_cohort"})
#: What leaves the house as a message.
WRITTEN: frozenset[ActionKind] = frozenset(
    {"reply", "send_template", "offer_cohort", "chase_document"}
)
#: So many open suggestions at a time are one advisor's; more would bury the best.
CAPACITY = 25
#: Nobody is reached out to more often.
REST = timedelta(days=7)
#: The share of people whom nobody nudges, so that it is known what nudging is worth.
HOLD_OUT_PERCENT = 10
MAX_DRAFT = 2_000
LONGEST_SNOOZE = timedelta(days=30)
#: How much sooner each kind loses its worth; a person who waits comes first.
_URGENCY: Mapping[ActionKind, int] = {
    "take_over": 8,
    "approve": 6,
    "reply": 5,
    "call": 3,
    "chase_document": 2,
    "offer_cohort": 2,
    "send_template": 1,
}


@dataclass(frozen=True, slots=True)
class Reason:
    """A fact behind a suggestion, with its points in the score of that moment."""

    feature: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asked for a call that an advisor has to agree to, and on which terms.

    Args:
        level: how well the student's identity was known then.
        agent: its name, model and prompt version; None where a person asked.
        summary: what was shown.
    """

    subject_id: UUID
    person_id: UUID
    level: int
    agent: tuple[str, str, str] | None
    conversation_id: UUID | None
    tool_version: int
    summary: str
    price_minor: int | None = None
    currency: str | None = None
    quote_id: str | None = None
    hold_id: str | None = None

    def plain(self) -> dict[str, object]:
        """Return it in JSON types."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {n: str(v) if isinstance(v, UUID) else v for n, v in told.items()} | {
            "agent": list(self.agent) if self.agent else None
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAction:
    """A suggestion.

    Args:
        staff_id: whom it is for; None is anybody.
        why: a code, e.g. `score_rose`.
        draft: `{name}` stands for the person's first name.
        tool: what accepting calls, with these arguments.
        asked: of a call that waits for approval; accepting makes it for whoever asked.
        priority: expected value and urgency; higher comes first.
    """

    id: ActionId
    effect_key: str
    kind: ActionKind
    person_id: PersonId
    lead_id: LeadId | None = None
    staff_id: StaffId | None = None
    why: str
    reasons: tuple[Reason, ...] = ()
    language: Locale
    draft: str
    tool: str
    arguments: Mapping[str, object]
    asked: Asked | None = None
    frozen_hash: bytes
    priority: int
    status: ActionStatus = "open"
    due_at: datetime
    expires_at: datetime
    snoozed_until: datetime | None = None
    dismiss_reason: DismissReason | None = None
    version: int = 1
    created_at: datetime
    decided_at: datetime | None = None
    decided_by: StaffId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeAction:
    """What to suggest about a lead.

    Args:
        effect_key: suggesting twice with one key suggests once.
    """

    kind: ActionKind
    lead_id: LeadId
    why: str
    draft: str
    due_at: datetime
    expires_at: datetime
    effect_key: str


def hash_call(
    tool: str, arguments: Mapping[str, object], draft: str, asked: Asked | None = None
) -> bytes:
    """Return the SHA-256 of what must not change between showing and doing it."""
    terms = asked.plain() if asked else None
    return hashlib.sha256(canonical([tool, arguments, draft, terms])).digest()


def is_held_out(person_id: PersonId) -> bool:
    """Return whether a person is among those whom nobody nudges, the same ever after."""
    drawn = int.from_bytes(hashlib.sha256(b"nudge:" + person_id.bytes).digest()[:4], "big")
    return drawn % 100 < HOLD_OUT_PERCENT


def priority_of(kind: ActionKind, *, score: int, value_minor: int) -> int:
    """Return the expected value of a lead, weighed by how much waiting costs."""
    return max(1, score * value_minor // 100) * _URGENCY[kind]


def check_draft(kind: ActionKind, draft: str) -> str:
    """Return a draft without blanks around it.

    Raises: RuleBroken("action.draft").
    """
    trimmed = draft.strip()
    if len(trimmed) > MAX_DRAFT or (kind in WRITTEN and not trimmed):
        raise RuleBroken("action.draft", f"A message has 1 to {MAX_DRAFT} characters.")
    return trimmed


def check_times(due_at: datetime, expires_at: datetime, now: datetime) -> None:
    """Refuse what would be over before it is due.

    Raises: RuleBroken("action.times").
    """
    if not now < expires_at or due_at > expires_at:
        raise RuleBroken("action.times", "An action is due before it expires.")


def check_room(kind: ActionKind, *, open_of_staff: int, reached_since_rest: int) -> None:
    """Let a suggestion pass that neither buries an advisor nor pesters a person.

    Raises: RuleBroken("action.capacity" | "action.frequency").
    """
    if kind in PROACTIVE and reached_since_rest:
        raise RuleBroken("action.frequency", "Somebody reached out to this person this week.")
    if kind in PROACTIVE and open_of_staff >= CAPACITY:
        raise RuleBroken("action.capacity", "This advisor has enough to do.")


def check_decidable(
    action: NextAction, *, expected_version: int | None, staff_id: StaffId | None, now: datetime
) -> None:
    """Let a suggestion be decided on that is open, as it was seen, by who may.

    Raises:
        Denied("action.anothers"): it is for somebody else.
        Conflict("action.decided" | "action.expired" | "action.stale" | "action.changed").
    """
    if staff_id is not None and action.staff_id not in (None, staff_id):
        raise Denied("action.anothers", "This suggestion is somebody else's.")
    if action.status != "open":
        raise Conflict("action.decided", "This suggestion was decided on before.")
    if action.expires_at <= now:
        raise Conflict("action.expired", "The time for this is over.")
    if expected_version is not None and action.version != expected_version:
        raise Conflict("action.stale", "Somebody else has changed this suggestion meanwhile.")
    if action.frozen_hash != hash_call(action.tool, action.arguments, action.draft, action.asked):
        raise Conflict("action.changed", "This is not what was suggested.")


def strongest(parts: Sequence[Reason], most: int = 3) -> tuple[Reason, ...]:
    """Return the reasons that weigh most."""
    told = [part for part in parts if part.points]
    return tuple(sorted(told, key=lambda part: -abs(part.points))[:most])
