"""What a certificate says, and what of it is shown to whom: pure rules, no I/O."""

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from crm.courses.models import Bilingual
from crm.ids import PersonId

CertificateStatus = Literal["valid", "revoked"]
#: What a check shows of the holder: the name to whoever knows the code, nothing once erased.
HolderShown = Literal["name", "initials", "nothing"]

#: Crockford's base 32: no I, L, O, U, so that a printed code cannot be misread.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans("OIL", "011")
_GROUP = 4
_RANDOM_CHARACTERS = 8
MAX_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate without its holder's name, which is sealed apart.

    Args:
        title: the course's when this was issued, as are hours and dates.
    """

    number: str
    enrolment_id: UUID
    person_id: PersonId
    course_code: str
    title: Bilingual
    hours: int
    starts_on: date
    ends_on: date
    issued_on: date
    issued_at: datetime
    revoked_at: datetime | None = None
    revoked_for: str | None = None

    @property
    def status(self) -> CertificateStatus:
        """Return whether it counts."""
        return "valid" if self.revoked_at is None else "revoked"

    def statement(self, holder: str) -> dict[str, object]:
        """Return what is signed: all that a reader may rely on."""
        return {
            "number": self.number,
            "holder": holder,
            "course": self.course_code,
            "title_es": self.title.es,
            "title_en": self.title.en,
            "hours": self.hours,
            "starts_on": self.starts_on.isoformat(),
            "ends_on": self.ends_on.isoformat(),
            "issued_on": self.issued_on.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class SealedCertificate:
    """A certificate as it is stored.

    Args:
        subject_id: whose key seals the holder's name.
    """

    certificate: Certificate
    subject_id: UUID
    holder: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate as its holder has it.

    Args:
        holder: None once the person was erased.
        code: lets whoever has it see the holder's name.
    """

    certificate: Certificate
    holder: str | None
    code: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What lets anybody check a certificate without asking us again.

    Args:
        statement: the signed text, UTF-8.
        signature: Ed25519 over it.
        public_key: the institution's, raw.
    """

    statement: str
    signature: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True)
class CertificateCheck:
    """What a check shows.

    Args:
        code_matches: None when no code was given.
        proof: only with the right code, while the holder is known.
    """

    certificate: Certificate
    holder: str | None
    shown: HolderShown
    code_matches: bool | None
    proof: Proof | None


def new_number(issued_on: date) -> str:
    """Return a number that nobody can guess from another's, e.g. `2026-K7QM-3TXP`."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM_CHARACTERS))
    return grouped(f"{issued_on.year:04}{drawn}")


def read_code(text: str) -> str:
    """Return a number or code as it was meant: small letters, spaces and look-alikes forgiven."""
    return grouped(re.sub(r"[^0-9A-Z]", "", text.upper().translate(_ALIKE)))


def grouped(characters: str) -> str:
    """Write characters in groups of four."""
    starts = range(0, len(characters), _GROUP)
    return "-".join(characters[i : i + _GROUP] for i in starts)


def initials_of(name: str) -> str:
    """Return e.g. `A. M. Q.`: enough to recognise oneself, too little to be found."""
    return " ".join(f"{word[0].upper()}." for word in name.split())
