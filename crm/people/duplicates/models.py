"""How much two records look like one person: pure rules."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from rapidfuzz.fuzz import token_sort_ratio

from crm.ids import PersonId

Reason = Literal["email", "phone", "name", "similar_name", "birth_date", "other_birth_date"]
SuggestionStatus = Literal["open", "dismissed", "merged"]

#: From this score on a pair is suggested. A name alone, however equal, is not enough.
SUGGESTED = 60
#: From this score on it is shown to somebody who asks about the person: a namesake, too.
SHOWN = 30
_WEIGHTS: dict[Reason, int] = {
    "email": 60,
    "phone": 40,
    "name": 40,
    "similar_name": 30,
    "birth_date": 30,
    "other_birth_date": -40,
}
_SAME_NAME = 96.0
_SIMILAR_NAME = 84.0
_PHONE_TAIL = 8
_DOTLESS = frozenset({"gmail.com", "googlemail.com"})
_WORDS = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Likeness:
    """What of a person is compared."""

    id: PersonId
    full_name: str
    email: str | None
    phone: str | None
    birth_date: date | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be the same person.

    Args:
        score: 0 to 100; a reason to look, not a probability.
    """

    person: Likeness
    score: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two records that somebody should look at."""

    id: UUID
    first: Likeness
    second: Likeness
    score: int
    reasons: tuple[Reason, ...]
    status: SuggestionStatus
    found_at: datetime


def compare(one: Likeness, other: Likeness) -> Candidate:
    """Return how much the other looks like the one; the order changes nothing in the score."""
    reasons = tuple(_reasons(one, other))
    score = sum(_WEIGHTS[reason] for reason in reasons)
    return Candidate(other, max(0, min(100, score)), reasons)


def _reasons(one: Likeness, other: Likeness) -> Iterator[Reason]:
    if one.email and other.email and mailbox(one.email) == mailbox(other.email):
        yield "email"
    if one.phone and other.phone and one.phone[-_PHONE_TAIL:] == other.phone[-_PHONE_TAIL:]:
        yield "phone"
    alike = token_sort_ratio(fold_name(one.full_name), fold_name(other.full_name))
    if alike >= _SIMILAR_NAME:
        yield "name" if alike >= _SAME_NAME else "similar_name"
    if one.birth_date and other.birth_date:
        yield "birth_date" if one.birth_date == other.birth_date else "other_birth_date"


def mailbox(email: str) -> str:
    """Return the mailbox behind a normalised address: no tag, and no dots where they are void."""
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0]
    if domain in _DOTLESS:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def fold_name(name: str) -> str:
    """Return a name without accents, case and punctuation."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return _WORDS.sub(" ", letters).strip()
