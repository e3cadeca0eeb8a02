"""Domain events: what happened, in the past tense, by ids only."""

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from crm.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """Something that happened; subclasses add the ids of what it happened to.

    Events leave the transaction and may outlive an erasure: they carry no personal data.
    """

    @property
    def name(self) -> str:
        """Return the event's name, its class name."""
        return type(self).__name__

    def payload(self) -> dict[str, str | int | bool | None]:
        """Return the fields in JSON types."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


def _plain(value: object) -> str | int | bool | None:
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, UUID | datetime):
        return str(value)
    raise TypeError(f"an event carries ids and plain values, not {type(value).__name__}")


def new_event_id() -> UUID:
    """Return the id by which a consumer recognises a repeated delivery."""
    return new_id()
