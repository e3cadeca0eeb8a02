"""What a unit of work leaves behind, on its way into one statement."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kept:
    """What the first call with an idempotency key returned, sealed."""

    scope: str
    key: str
    result: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the statement."""

    sql: str
    values: Mapping[str, object]
