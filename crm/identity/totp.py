"""Time-based one-time codes (RFC 6238: SHA-1, 30 s, 6 digits): pure rules."""

import base64
import binascii
import hmac
from datetime import datetime, timedelta

from crm.errors import RuleBroken

_STEP_S = 30
_DIGITS = 6


def check_secret(secret: str) -> str:
    """Return a base32 secret in its plain form.

    Raises: RuleBroken("staff.totp"): not base32, or shorter than 128 bits.
    """
    plain = secret.replace(" ", "").upper()
    try:
        long_enough = len(_key(plain)) >= 16
    except binascii.Error as broken:
        raise RuleBroken("staff.totp", "The secret is not base32.") from broken
    if not long_enough:
        raise RuleBroken("staff.totp", "The secret is shorter than 128 bits.")
    return plain


def code_at(secret: str, at: datetime) -> str:
    """Return the code that an authenticator shows at a moment."""
    return _code(secret, int(at.timestamp()) // _STEP_S)


def accepts(secret: str, code: str, *, now: datetime, last_login_at: datetime | None) -> bool:
    """Return whether a code is right and not yet used.

    The code of this step or the one before will do, to bridge typing and slow clocks. A code of
    the step of the last login, or older, may have been that login's and is refused.
    """
    step = int(now.timestamp()) // _STEP_S
    used = int(last_login_at.timestamp()) // _STEP_S if last_login_at else -1
    fits = [hmac.compare_digest(_code(secret, s).encode(), code.encode()) for s in (step, step - 1)]
    return (fits[0] and step > used) or (fits[1] and step - 1 > used)


def next_code_at(at: datetime) -> datetime:
    """Return when the code after the one shown at a moment appears."""
    return at + timedelta(seconds=_STEP_S - at.timestamp() % _STEP_S)


def _key(secret: str) -> bytes:
    return base64.b32decode(secret + "=" * (-len(secret) % 8))


def _code(secret: str, step: int) -> str:
    digest = hmac.digest(_key(secret), step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"
