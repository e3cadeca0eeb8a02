"""What tools say in words of their own: one catalogue a language."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tools.context import Locale

_FOLDER = Path(__file__).parent


@cache
def phrases(locale: Locale) -> Mapping[str, str]:
    """Return a language's texts by dotted key."""
    with (_FOLDER / f"{locale}.toml").open("rb") as file:
        tables = tomllib.load(file)
    return {f"{t}.{name}": text for t, texts in tables.items() for name, text in texts.items()}


def phrase(locale: Locale, key: str, **values: object) -> str:
    """Return a text with its places filled.

    Raises: KeyError: the text or one of its places is missing.
    """
    return phrases(locale)[key].format(**values)
