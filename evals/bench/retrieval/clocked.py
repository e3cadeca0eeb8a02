"""Tells how long a search waits for its store: the database's part of it."""

import time
from collections.abc import Awaitable, Callable
from typing import Any


class ClockedStore:
    """A store that notes while any of its calls is under way; calls that overlap count once."""

    def __init__(self, store: object) -> None:
        self._store = store
        self._open = 0
        self._since = 0.0
        self._waited = 0.0

    def take_ms(self) -> float:
        """Return the milliseconds waited since the last time."""
        waited, self._waited = self._waited, 0.0
        return waited * 1_000

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._store, name)

        async def clocked(*positional: Any, **named: Any) -> Any:
            if self._open == 0:
                self._since = time.perf_counter()
            self._open += 1
            try:
                return await method(*positional, **named)
            finally:
                self._open -= 1
                if self._open == 0:
                    self._waited += time.perf_counter() - self._since

        return clocked
