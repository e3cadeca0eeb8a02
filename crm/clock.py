"""Where time comes from, so that tests can set it."""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """A source of the present, always aware and in UTC."""

    def now(self) -> datetime:
        """Return the present in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that moves only when told to."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Return the time it was set to."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move forward."""
        self._at += by


def day_in(zone: ZoneInfo | str, moment: datetime) -> date:
    """Return which day a moment belongs to in a time zone, given itself or by its IANA name."""
    return moment.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone).date()
