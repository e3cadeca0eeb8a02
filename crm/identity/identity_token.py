"""Reads the identity token that a host site signs for a student who is logged in there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt

from crm.errors import RuleBroken, Unauthenticated, Unavailable
from crm.people.addresses import normalise_email

AUDIENCE = "orienta"
MAX_LIFE = timedelta(hours=1)
#: Clocks of two machines differ.
_LEEWAY = timedelta(seconds=30)
#: RFC 7518, 3.2: a key at least as long as the hash.
_MIN_SECRET = 32


@dataclass(frozen=True, slots=True)
class IdentityClaims:
    """What the host site vouches for.

    Args:
        subject: the host site's own id of the student.
        email: normalised; the address on file decides who it is.
    """

    subject: str
    email: str
    expires_at: datetime


def read_identity_token(token: str, *, secret: str, now: datetime) -> IdentityClaims:
    """Return what a token says.

    Args:
        secret: shared with the host site, at least 32 bytes.

    Raises:
        Unauthenticated("identity.token"): not signed with the secret, not for us, expired, valid
            for more than an hour, or without subject or e-mail.
        Unavailable("identity.secret"): the secret is too short to trust.
    """
    if len(secret.encode()) < _MIN_SECRET:
        raise Unavailable("identity.secret", "Identity tokens are not set up safely.")
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=AUDIENCE,
            # The times are checked below, against the clock that was handed in.
            options={
                "require": ["exp", "sub", "aud"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.PyJWTError as broken:
        raise _refused() from broken
    return _claims(claims, now)


def _claims(claims: dict[str, Any], now: datetime) -> IdentityClaims:
    expires_at = _moment(claims["exp"], now)
    starts_at = max(_moment(claims.get(name, 0), now) for name in ("nbf", "iat"))
    if not now < expires_at + _LEEWAY or expires_at > now + MAX_LIFE or starts_at > now + _LEEWAY:
        raise _refused()
    if not isinstance(claims.get("email"), str):
        raise _refused()
    try:
        email = normalise_email(claims["email"])
    except RuleBroken as broken:
        raise _refused() from broken
    return IdentityClaims(claims["sub"], email, expires_at)


def _moment(value: object, now: datetime) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused()
    try:
        return datetime.fromtimestamp(value, now.tzinfo)
    except (OverflowError, ValueError, OSError) as broken:
        raise _refused() from broken


def _refused() -> Unauthenticated:
    return Unauthenticated("identity.token", "The identity token is not valid.")
