"""The clock of an eval: the machine's, moved forward when a scenario lets time pass."""

from datetime import UTC, datetime, timedelta


class ShiftedClock:
    """Runs with the machine's clock, some time ahead of it."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """Return the present in UTC, as far as the system under test knows."""
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self._ahead += by
