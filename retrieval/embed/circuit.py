"""Leaves a service alone for a while after failures in a row."""

import time
from collections.abc import Callable

FAILURES = 3
OPEN_S = 30.0


class Circuit:
    """Open after some failures in a row; one call at a time finds out whether they are over.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._next_try_at = 0.0

    def may_try(self) -> bool:
        """Return whether a call may be tried now; the next one after a pause is the only one."""
        if self._failures < FAILURES:
            return True
        if self._clock() < self._next_try_at:
            return False
        self._next_try_at = self._clock() + OPEN_S
        return True

    def succeeded(self) -> None:
        """Note a call that worked."""
        self._failures = 0

    def failed(self) -> None:
        """Note a call that did not."""
        self._failures += 1
        self._next_try_at = self._clock() + OPEN_S
