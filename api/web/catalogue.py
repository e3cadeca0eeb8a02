"""The words of pages and widget: one catalogue a language, no word in the code."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

Locale = Literal["es", "en"]

LOCALES: tuple[Locale, ...] = ("es", "en")

_ROOT = Path(__file__).parent / "strings"


@cache
def strings_of(locale: Locale) -> Mapping[str, str]:
    """Return every string of a language by its key."""
    loaded: dict[str, str] = json.loads((_ROOT / f"{locale}.json").read_text("utf-8"))
    return MappingProxyType(loaded)


def strings_under(locale: Locale, prefix: str) -> dict[str, str]:
    """Return the strings whose keys begin with the prefix, under their full keys."""
    return {key: text for key, text in strings_of(locale).items() if key.startswith(prefix)}


def translate(locale: Locale, key: str, values: Mapping[str, object] | None = None) -> str:
    """Return a string with its {placeholders} filled.

    Raises: KeyError: the catalogue or the values lack it; a test keeps this from happening.
    """
    text = strings_of(locale)[key]
    return text.format_map(dict(values)) if values else text
