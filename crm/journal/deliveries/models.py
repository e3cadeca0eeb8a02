"""An event on its way to a handler, and when it is tried again: pure rules."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

#: Tries of one delivery before it is set aside as dead; the waits double from 2 s to 9 minutes.
MAX_ATTEMPTS = 10
#: A handler that runs longer has hung.
HANDLER_LIMIT = timedelta(seconds=30)
#: A delivery that was claimed and is neither done nor failed by then died with its process.
CLAIM = HANDLER_LIMIT + timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A domain event as it left its transaction; a handler may get it more than once."""

    event_id: UUID
    name: str
    payload: Mapping[str, object]
    occurred_at: datetime

    def id_of(self, field: str) -> UUID:
        """Return a field of the payload that holds an id."""
        return UUID(str(self.payload[field]))


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event that this process took to give it to a handler.

    Args:
        attempts: this one included.
    """

    event: StoredEvent
    handler: str
    attempts: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that was given up, with the last reason."""

    event_id: UUID
    handler: str
    name: str
    payload: Mapping[str, object]
    occurred_at: datetime
    attempts: int
    dead_at: datetime
    reason: str


Deliver = Callable[[Delivery], Awaitable[None]]


def retry_in(attempts: int) -> timedelta | None:
    """Return how long to wait after a failed try, or None to give up."""
    if attempts >= MAX_ATTEMPTS:
        return None
    return timedelta(seconds=2**attempts)
