"""The strings of pages and widget: complete in both languages, and each one used."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import api
from api.web.catalogue import LOCALES, strings_of, strings_under, translate

_ROOT = Path(api.__file__).parent
_LITERAL = re.compile(r"""["']([a-z][\w]*(?:\.\w+)+)["']""")
_ASKED = re.compile(r"""\b(?:t|translate)\(\s*(?:locale,\s*)?["']([^"']+)["']""")


def _sources() -> list[str]:
    found = [
        path
        for pattern in ("web/**/*.py", "web/**/*.js", "web/**/*.html", "routes/*.py")
        for path in _ROOT.glob(pattern)
    ]
    return [path.read_text("utf-8") for path in found]


def test_both_languages_have_the_same_strings() -> None:
    assert set(strings_of("es")) == set(strings_of("en"))


def test_both_languages_have_the_same_placeholders() -> None:
    def fields(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}

    for key, text in strings_of("es").items():
        assert fields(text) == fields(strings_of("en")[key]), key


def test_no_string_is_empty_or_padded() -> None:
    for locale in LOCALES:
        for key, text in strings_of(locale).items():
            assert text, key
            assert text == text.strip(), key


def test_every_string_that_is_asked_for_exists() -> None:
    asked = {key for source in _sources() for key in _ASKED.findall(source)}
    assert len(asked) > 100
    assert asked - set(strings_of("es")) == set()


def test_every_string_is_used() -> None:
    used = {key for source in _sources() for key in _LITERAL.findall(source)}
    assert set(strings_of("es")) - used == set()


def test_strings_are_chosen_by_prefix_and_filled() -> None:
    assert all(key.startswith("widget.") for key in strings_under("en", "widget."))
    assert translate("en", "document.version", {"version": 3}) == "Version 3"


def test_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        translate("es", "no.such.string")
