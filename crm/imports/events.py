"""What happens to imports."""

from dataclasses import dataclass
from uuid import UUID

from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportQueued(DomainEvent):
    """A file is complete and may be read."""

    import_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportEnded(DomainEvent):
    """An import has read its last line, failed, or was stopped."""

    import_id: UUID
    status: str
