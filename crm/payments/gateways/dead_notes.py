"""What is kept of a webhook that led nowhere."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadNote:
    """A webhook that was a gateway's, but about nothing we know.

    Args:
        event_id: the gateway's name of it, or `body:` and a digest where it has none.
        code: of the error that it ended in.
    """

    id: UUID
    gateway: str
    event_id: str
    code: str
    noted_at: datetime
