"""Texts in both languages of the institution, one TOML file a language."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tools.context import Locale


class Texts:
    """The texts of one folder, read at the first use.

    Args:
        folder: holds `es.toml` and `en.toml`, tables of named texts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, locale: Locale) -> Mapping[str, str]:
        """Return a language's texts by dotted key."""
        return _read(self._folder / f"{locale}.toml")

    def say(self, locale: Locale, key: str, **values: object) -> str:
        """Return a text with its places filled.

        Raises: KeyError: the text or one of its places is missing.
        """
        return self.of(locale)[key].format(**values)


@cache
def _read(path: Path) -> Mapping[str, str]:
    with path.open("rb") as file:
        tables = tomllib.load(file)
    return {f"{t}.{name}": text for t, texts in tables.items() for name, text in texts.items()}
