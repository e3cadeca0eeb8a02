"""Leaves a server that fails alone for a while, so that nobody waits for it in vain."""

from collections.abc import Callable

FIRST_S = 5.0
LONGEST_S = 60.0


class Recess:
    """How one process deals with one server that may fail.

    After a failure nobody asks it until the recess is over; then one caller may try while the
    others go on without it. Each try that fails doubles the recess.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._length_s = FIRST_S
        self._until: float | None = None
        self._trying = False
        self.reason: str | None = None

    def may_ask(self) -> bool:
        """Return whether the server may be asked; after a recess, the first caller only."""
        if self._until is None:
            return True
        if self._clock() < self._until:
            return False
        self._until, self._trying = self._clock() + self._length_s, True
        return True

    def fail(self, reason: str) -> bool:
        """Note a failure; returns whether it is the first in a row."""
        first, self.reason = self.reason is None, reason
        if self._trying:  # the others of a burst fail together and count once
            self._length_s = min(2 * self._length_s, LONGEST_S)
        self._until, self._trying = self._clock() + self._length_s, False
        return first

    def succeed(self) -> bool:
        """Note an answer; returns whether the server had failed before."""
        recovered, self.reason = self.reason is not None, None
        self._until, self._length_s, self._trying = None, FIRST_S, False
        return recovered
