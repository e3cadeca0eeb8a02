"""What a message on its way out is, and when it may still leave: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from crm.ids import PersonId
from crm.messaging.outbound.proof import ContactProof
from crm.people.contact.models import Basis, Channel
from crm.people.models import ConsentPurpose, Locale

Status = Literal["intent", "sent", "failed"]

MAX_ATTEMPTS = 6
#: A sender that has not reported by then has died; the transport recognises a second delivery.
CLAIM = timedelta(minutes=2)
#: A code is worthless after this, and a late one would only alarm.
CODE_LIFE = timedelta(minutes=10)
_FIRST_WAIT_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundIntent:
    """A message that shall leave.

    Args:
        effect_key: names the effect; however often it is tried, it happens once.
        proof: that it may leave, and where to; it is proven again when it does.
        params: what the template needs; sealed with the person's key until sent, then destroyed.
    """

    effect_key: str
    proof: ContactProof
    template: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedIntent:
    """A message that must not leave; that somebody wanted it is recorded all the same."""

    effect_key: str
    channel: Channel
    basis: Basis
    person_id: PersonId | None
    template: str
    locale: Locale
    reason: str


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """An intent that this process took to send it.

    Args:
        sealed: `{"subject", "box"}`, or empty when it was never to leave.
        attempts: this one included.
    """

    id: UUID
    effect_key: str
    channel: Channel
    basis: Basis
    purpose: ConsentPurpose | None
    person_id: PersonId
    template: str
    locale: Locale
    sealed: Mapping[str, str]
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """A message as a transport takes it; SMS has no subject line."""

    effect_key: str
    channel: Channel
    recipient: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class MailboxMessage:
    """A message in the demo's mailbox."""

    id: UUID
    channel: Channel
    recipient: str
    subject: str
    body: str
    created_at: datetime


def refusal(message: ClaimedMessage, now: datetime) -> str | None:
    """Return why a message may no longer leave whatever can be proven, or None."""
    if message.basis == "security_code" and now >= message.created_at + CODE_LIFE:
        return "basis.expired"
    if message.attempts > MAX_ATTEMPTS:
        return "attempts"
    return None


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after a failed attempt: 15 s, doubled each time."""
    return timedelta(seconds=_FIRST_WAIT_S * 2 ** (attempts - 1))
