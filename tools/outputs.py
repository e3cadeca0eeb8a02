"""What handlers return: data for the model, and beside it what it can be traced to."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tools.results import Ok, Source


class SourceOut(BaseModel):
    """A document or a record that the output's statements come from."""

    model_config = ConfigDict(frozen=True)

    ref: str = Field(pattern=r"^[a-z0-9-]{1,48}$")
    title: str
    url: str
    version: str


class ToolOutput(BaseModel):
    """The base of every tool's output.

    Args:
        sources: what the reply may cite; the model sees them by the `ref` of each item.
    """

    model_config = ConfigDict(frozen=True)

    sources: list[SourceOut] = Field(default_factory=list, exclude=True)

    def recorded(self) -> dict[str, object]:
        """Return what the audit keeps of the result, sealed with the actor's key.

        An output about other people keeps their ids and nothing that erasing them must destroy.
        """
        return self.model_dump(mode="json")

    def others_shown(self) -> tuple[UUID, ...]:
        """Return whose records it shows besides the student's own; the access log names them."""
        return ()


def ref_of(*parts: str) -> str:
    """Return a short stable name for a source, e.g. `kb-refunds-es-2`."""
    plain = re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower())
    return plain.strip("-")[:48].rstrip("-")


def ok_of(output: ToolOutput) -> Ok:
    """Return the result that an output makes."""
    sources = tuple(Source(s.ref, s.title, s.url, s.version) for s in output.sources)
    return Ok(output.model_dump(mode="json"), sources)


def to_stored(result: Ok) -> dict[str, object]:
    """Return a result in JSON types, to be kept under its idempotency key."""
    sources = [[s.ref, s.title, s.url, s.version] for s in result.sources]
    return {"data": result.data, "sources": sources}


def from_stored(stored: Any) -> Ok:
    """Return a result that an earlier call with the same key got."""
    kept: Mapping[str, Any] = stored
    return Ok(dict(kept["data"]), tuple(Source(*s) for s in kept["sources"]), replayed=True)
