"""Makes what a model said fit to be stored: no NUL characters, no halves of surrogate pairs."""

from collections.abc import Mapping
from typing import Any


def storable_text(text: str) -> str:
    """Return a text that UTF-8 and every column can hold."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def storable(value: Any) -> Any:
    """Return JSON-like data with every text in it made storable."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, Mapping):
        return {storable(k): storable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [storable(v) for v in value]
    return value
