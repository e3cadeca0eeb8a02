"""What a check of the installation found, and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a part is: `idle` is not running but can, `broken` keeps Orienta from working."""

    OK = "ok"
    IDLE = "idle"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one part.

    Args:
        remedy: the command or the setting that mends it.
    """

    part: str
    health: Health
    detail: str
    remedy: str | None = None


def ok(part: str, detail: str) -> Finding:
    """A part that works."""
    return Finding(part, Health.OK, detail)


def idle(part: str, detail: str, remedy: str) -> Finding:
    """A part that does not run now but would."""
    return Finding(part, Health.IDLE, detail, remedy)


def warning(part: str, detail: str, remedy: str) -> Finding:
    """A part that works less well than it could."""
    return Finding(part, Health.WARNING, detail, remedy)


def broken(part: str, detail: str, remedy: str) -> Finding:
    """A part without which Orienta does not work."""
    return Finding(part, Health.BROKEN, detail, remedy)
