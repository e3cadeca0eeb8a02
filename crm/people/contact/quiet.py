"""The hours in which nobody is disturbed: pure rules."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.people.models import ConsentPurpose

_SUNDAY = 6


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When messages that rest on consent have to wait, by the clock of whoever gets them.

    Args:
        starts: local time; equal to `ends` means that no hour is quiet.
        ends: local time, on the next day where it is not after `starts`.
        marketing_rest_days: weekdays (Monday is 0) without any marketing; not all seven.
    """

    starts: time = time(21)
    ends: time = time(8)
    marketing_rest_days: frozenset[int] = frozenset({_SUNDAY})

    def __post_init__(self) -> None:
        if self.marketing_rest_days >= set(range(7)):
            raise ValueError("one day a week must be left for marketing")

    def includes(self, at: datetime, zone: str, purpose: ConsentPurpose | None) -> bool:
        """Return whether a message has to wait at this moment."""
        local = at.astimezone(ZoneInfo(zone))
        resting = purpose == "marketing" and local.weekday() in self.marketing_rest_days
        return resting or self._at_night(local.time())

    def until(self, at: datetime, zone: str, purpose: ConsentPurpose | None) -> datetime | None:
        """Return when the quiet that reigns at this moment ends, or None if none does."""
        if not self.includes(at, zone, purpose):
            return None
        local = at.astimezone(ZoneInfo(zone))
        days = (local.date() + timedelta(days=n) for n in range(9))
        # Quiet ends with the night, or at midnight after a day of rest that no night follows.
        ends = (
            datetime.combine(day, end, ZoneInfo(zone)).astimezone(UTC)
            for day in days
            for end in sorted({time(), self.ends})
        )
        return next(end for end in ends if end > at and not self.includes(end, zone, purpose))

    def _at_night(self, local: time) -> bool:
        if self.starts <= self.ends:
            return self.starts <= local < self.ends
        return local >= self.starts or local < self.ends
