"""What a tool call ends in: done, refused, failed, or waiting for consent."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Source:
    """What a statement can be traced to.

    Args:
        ref: short name within the run, e.g. `s1`; the reply cites it as `[[s1]]`.
        url: opens the document as it stood, at the cited heading.
        version: the document's version, or the day a price or date was read.
    """

    ref: str
    title: str
    url: str
    version: str


@dataclass(frozen=True, slots=True)
class Ok:
    """The call was carried out.

    Args:
        data: the tool's output in JSON types.
        replayed: the effect had been made before under the same key; nothing was done again.
    """

    data: dict[str, object]
    sources: tuple[Source, ...] = ()
    replayed: bool = False
    status: Literal["ok"] = "ok"


@dataclass(frozen=True, slots=True)
class Refused:
    """Policy or a rule of the domain forbids the call; trying again will not help.

    Args:
        code: e.g. `identity.level`, `tool.unknown`, `arguments.invalid`, `course.unknown`.
        message: safe for a model and a student.
    """

    code: str
    message: str
    status: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True)
class Failed:
    """Something broke; nothing was changed."""

    code: str
    message: str
    retryable: bool
    status: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True)
class NeedsConfirmation:
    """A frozen call waits for a decision; nothing was changed.

    Args:
        summary: what will happen on acceptance, in the conversation's language.
    """

    confirmation_id: UUID
    tool: str
    summary: str
    expires_at: datetime
    price_minor: int | None = None
    currency: str | None = None
    status: Literal["needs_confirmation"] = field(default="needs_confirmation")


ToolResult = Ok | Refused | Failed | NeedsConfirmation
