"""Every text is there in both languages, is used, and has the places that its user fills."""

import re
from pathlib import Path

import pytest

from tools.phrases import phrase, phrases

TOOLS = Path("tools")
KEY = re.compile(r"phrase\(\s*[\w.]+,\s*[\"']([a-z]+\.[a-z_]+)[\"']")
CHOSEN = re.compile(r"[\"']([a-z]+\.[a-z_]+)[\"'] (?:if|else)|else [\"']([a-z]+\.[a-z_]+)[\"']")
PLACE = re.compile(r"\{(\w+)\}")
#: Families whose last part comes from data.
BUILT = re.compile(r"f[\"']([a-z]+)\.(\w*)\{")


def used_keys() -> tuple[set[str], set[tuple[str, str]]]:
    texts = [f.read_text(encoding="utf-8") for f in TOOLS.rglob("*.py")]
    plain = {key for text in texts for key in KEY.findall(text)}
    plain |= {k for text in texts for found in CHOSEN.findall(text) for k in found if k}
    built = {found for text in texts for found in BUILT.findall(text)}
    return plain, built


def test_languages_have_the_same_texts_with_the_same_places() -> None:
    es, en = phrases("es"), phrases("en")
    assert set(es) == set(en)
    differing = [k for k in es if set(PLACE.findall(es[k])) != set(PLACE.findall(en[k]))]
    assert differing == []


def test_every_text_is_used() -> None:
    plain, built = used_keys()
    unused = [
        key
        for key in phrases("es")
        if key not in plain
        and not any(key.startswith(f"{table}.{prefix}") for table, prefix in built)
    ]
    assert unused == []


def test_every_key_that_is_used_exists() -> None:
    plain, _ = used_keys()
    tables = {key.partition(".")[0] for key in phrases("es")}
    missing = {k for k in plain if k.partition(".")[0] in tables} - set(phrases("es"))
    assert missing == set()


def test_missing_place_is_an_error() -> None:
    with pytest.raises(KeyError):
        phrase("es", "enrol.summary")
