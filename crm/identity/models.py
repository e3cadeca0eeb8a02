"""Staff accounts, their logins and lock-outs: pure rules."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from crm.actor import Actor, IdentityLevel, Role
from crm.errors import RuleBroken
from crm.ids import StaffId, SubjectId

PASSWORD_MIN = 12
#: A longer one only serves to keep the hash function busy.
PASSWORD_MAX = 1_024
MAX_FAILURES = 5
LOCKOUT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who works here.

    Args:
        languages: that they answer in.
        areas: of the catalogue that they advise on.
    """

    id: StaffId
    email: str
    name: str
    role: Role
    languages: tuple[str, ...]
    areas: tuple[str, ...]
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateStaff:
    """A new account.

    Args:
        totp_secret: base32; then a login needs a one-time code, too.
    """

    email: str
    name: str
    role: Role
    password: str = field(repr=False)
    languages: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    totp_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class StaffLogin:
    """A session just opened; only the caller ever sees the token."""

    access_token: str = field(repr=False)
    staff: StaffMember
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Tries:
    """Failed logins since the last success."""

    failures: int = 0
    locked_until: datetime | None = None

    def locked_for_s(self, now: datetime) -> int:
        """Return for how many more seconds no login is taken; 0 when it is."""
        if self.locked_until is None or now >= self.locked_until:
            return 0
        return int((self.locked_until - now).total_seconds()) + 1

    def with_try(self, now: datetime) -> "Tries":
        """Count a try before its password is looked at, so that parallel ones count, too."""
        if self.locked_until is not None and now >= self.locked_until:
            return Tries(1)
        counted = replace(self, failures=self.failures + 1)
        if counted.failures < MAX_FAILURES:
            return counted
        return replace(counted, locked_until=now + LOCKOUT)


@dataclass(frozen=True, slots=True)
class Account:
    """What a login needs to know of an account."""

    staff: StaffMember
    password_hash: str = field(repr=False)
    totp_sealed: str | None = field(repr=False)
    tries: Tries


def staff_actor(staff: StaffMember) -> Actor:
    """Return the member of staff as one who acts; their own key seals what they do."""
    return Actor(
        subject_id=SubjectId(staff.id),
        level=IdentityLevel.VERIFIED,
        staff_id=staff.id,
        role=staff.role,
    )


def check_password(password: str, email: str) -> None:
    """Accept a new password.

    Raises: RuleBroken("staff.password"): too short, too long, or the address itself.
    """
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX or password.lower() == email:
        raise RuleBroken("staff.password", f"A password has at least {PASSWORD_MIN} characters.")
