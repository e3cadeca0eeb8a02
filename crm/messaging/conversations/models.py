"""Conversations and messages: what they are and the rules that need no database."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from crm.actor import Actor, IdentityLevel
from crm.errors import RuleBroken
from crm.ids import ConversationId, MessageId, PersonId, RunId, StaffId, SubjectId
from crm.journal.events import DomainEvent

Locale = Literal["es", "en"]
Channel = Literal["widget", "whatsapp"]
SenderRole = Literal["student", "agent", "advisor", "system"]


class ConversationStatus(StrEnum):
    """Who answers: the agent, the agent while a person was asked for, an advisor, nobody."""

    AGENT = "agent"
    WAITING = "waiting"
    ADVISOR = "advisor"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One thread with one student.

    Args:
        subject_id: whose key seals its records; a visitor has one before they have a name.
        memory: what the agents left for their next turn.
    """

    id: ConversationId
    channel: Channel
    subject_id: SubjectId
    person_id: PersonId | None
    locale: Locale
    level: IdentityLevel
    status: ConversationStatus
    staff_id: StaffId | None
    handoff_reason: str | None
    summary: str
    memory: dict[str, object]
    created_at: datetime
    last_message_at: datetime

    @property
    def student(self) -> Actor:
        """Return the student as this conversation has come to know them."""
        return Actor(subject_id=self.subject_id, level=self.level, person_id=self.person_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One entry of the log.

    Args:
        ordinal: its place; runs draw from the same sequence.
        external_id: the sender's own id, unique within `source`.
        actions: hints for the channel, e.g. a confirmation's buttons.
        author: an advisor's name.
    """

    id: MessageId
    conversation_id: ConversationId
    ordinal: int
    role: SenderRole
    body: str
    external_id: str
    citations: tuple[dict[str, str], ...]
    actions: tuple[dict[str, object], ...]
    run_id: RunId | None
    author: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSession:
    """What a session token stands for."""

    conversation_id: ConversationId
    subject_id: SubjectId
    person_id: PersonId | None
    level: IdentityLevel
    expires_at: datetime

    @property
    def actor(self) -> Actor:
        """Return the student as the session proves them."""
        return Actor(subject_id=self.subject_id, level=self.level, person_id=self.person_id)


@dataclass(frozen=True, slots=True)
class StartedSession:
    """A new session; the token is shown once and stored only as a hash."""

    token: str
    session: ChatSession


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A message that is in the log.

    Args:
        created: False when the same message had been accepted before.
    """

    message: Message
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationSummary:
    """A line of the advisors' list."""

    id: ConversationId
    status: ConversationStatus
    channel: Channel
    locale: Locale
    person_id: PersonId | None
    person_name: str | None
    last_message: str | None
    last_message_at: datetime
    handoff_reason: str | None
    assigned_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(DomainEvent):
    """A student's message is in the log."""

    conversation_id: UUID
    message_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequested(DomainEvent):
    """A conversation waits for the agents."""

    conversation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationTakenOver(DomainEvent):
    """An advisor answers from now on."""

    conversation_id: UUID
    staff_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationReleased(DomainEvent):
    """The agents answer again."""

    conversation_id: UUID
    staff_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReplied(DomainEvent):
    """An agent's message is in the log."""

    conversation_id: UUID
    message_id: UUID
    run_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisorReplied(DomainEvent):
    """An advisor's message is in the log."""

    conversation_id: UUID
    message_id: UUID
    staff_id: UUID


def clean_text(text: str, *, max_chars: int) -> str:
    """Return a message's text without control characters and outer white space.

    Raises:
        RuleBroken("message.empty"): nothing is left.
        RuleBroken("message.too_long"): more than `max_chars` characters.
    """
    kept = "".join(c for c in text if c in "\n\t" or (c.isprintable() and c != "\x00")).strip()
    if not kept:
        raise RuleBroken("message.empty", "The message has no text.")
    if len(kept) > max_chars:
        raise RuleBroken("message.too_long", f"A message has at most {max_chars} characters.")
    return kept


def require_taken_by(conversation: Conversation, staff_id: StaffId | None) -> None:
    """Let only the advisor who took the conversation over write in it.

    Raises: RuleBroken("conversation.not_taken").
    """
    if conversation.status is not ConversationStatus.ADVISOR or conversation.staff_id != staff_id:
        raise RuleBroken("conversation.not_taken", "Take the conversation over before you reply.")
