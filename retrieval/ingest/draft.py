"""What a file of any format is read into, before it is known what it declares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retrieval.models import BodyFormat


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a file.

    Args:
        title: what the file calls itself beside its text; empty if it does not.
        language: what it says it is written in; not checked yet.
        fields: what its header declares.
    """

    body: str
    format: BodyFormat
    title: str = ""
    language: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
