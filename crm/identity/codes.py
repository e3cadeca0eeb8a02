"""One-time codes that prove an address: pure rules."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from crm.errors import OrientaError, RuleBroken
from crm.ids import ConversationId, PersonId, SubjectId
from crm.journal.vault import SubjectKey

DIGITS = 6
MAX_TRIES = 5
CONVERSATION_LIMIT = 3
CONVERSATION_WINDOW = timedelta(minutes=15)
PERSON_LIMIT = 5
PERSON_WINDOW = timedelta(hours=1)


class Verdict(StrEnum):
    """What a typed code turned out to be."""

    VERIFIED = "verified"
    WRONG = "wrong"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Asker:
    """The conversation in which somebody wants to prove who they are."""

    conversation_id: ConversationId
    subject_id: SubjectId
    person_id: PersonId | None
    level: int


@dataclass(frozen=True, slots=True)
class PendingCode:
    """A code that was sent, or would have been: nobody outside can tell.

    Args:
        person_id: None where nothing was sent; then no code is right.
    """

    id: UUID
    person_id: PersonId | None
    code_hash: bytes
    tries: int
    expires_at: datetime


def new_code() -> str:
    """Return a random code."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def hash_code(key: SubjectKey, code_id: UUID, code: str) -> bytes:
    """Return the hash that is stored: without the key a million guesses would reverse it."""
    return key.digest(code_id.bytes + code.encode())


def judge(pending: PendingCode | None, typed: bytes, now: datetime) -> Verdict:
    """Judge a typed code by its hash.

    Args:
        pending: the conversation's open code, with this try not yet counted.
        typed: what `hash_code` gives for what was typed.
    """
    if pending is None or now >= pending.expires_at or pending.tries >= MAX_TRIES:
        return Verdict.EXPIRED
    if hmac.compare_digest(pending.code_hash, typed) and pending.person_id is not None:
        return Verdict.VERIFIED
    return Verdict.EXHAUSTED if pending.tries + 1 >= MAX_TRIES else Verdict.WRONG


def error_of(verdict: Verdict) -> OrientaError:
    """Return the error that tells the student what to do."""
    if verdict is Verdict.WRONG:
        return RuleBroken("verification.code", "The code is not right. Try again.")
    if verdict is Verdict.EXHAUSTED:
        return RuleBroken("verification.exhausted", "Too many wrong codes. Ask for a new one.")
    return RuleBroken("verification.expired", "There is no code to confirm. Ask for a new one.")


def wait_s(requested_at: Sequence[datetime], now: datetime) -> int:
    """Return how many seconds to wait before another code may be asked for; 0 for none.

    Args:
        requested_at: requests of this conversation within `CONVERSATION_WINDOW`.
    """
    if len(requested_at) < CONVERSATION_LIMIT:
        return 0
    oldest_that_counts = sorted(requested_at)[-CONVERSATION_LIMIT]
    return max(1, int((oldest_that_counts + CONVERSATION_WINDOW - now).total_seconds()) + 1)
