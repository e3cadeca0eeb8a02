"""How often and when a call is tried again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class RetryRules:
    """Bounds on trying again.

    Args:
        most: further tries after the first.
        cap_s: the longest wait; a provider that asks for more is not waited for.
        first_s: the first wait where the provider names none; it doubles each time.
    """

    most: int
    cap_s: float
    first_s: float = 0.25


def wait_before_retry(rules: RetryRules, tried: int, retry_after_s: float | None) -> float | None:
    """Return how long to wait before trying again, or None to give up.

    Args:
        tried: calls made so far, at least one.
        retry_after_s: what the provider asked for.
    """
    if tried > rules.most:
        return None
    if retry_after_s is not None:
        return retry_after_s if retry_after_s <= rules.cap_s else None
    return float(min(rules.cap_s, rules.first_s * 2 ** (tried - 1)))


def retry_after_of(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks for, as a number or as a date."""
    milliseconds = headers.get("retry-after-ms", "")
    if milliseconds.isdigit():
        return int(milliseconds) / 1000
    written = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(written))
    except ValueError:
        return _seconds_until(written, now)


def _seconds_until(written: str, now: datetime) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(written) - now).total_seconds())
    except (ValueError, TypeError):
        return None
