"""Every text is there in both languages, is used, and has the places that its user fills."""

import re
from pathlib import Path

import pytest

from agents.strings import catalogue, say

AGENTS = Path("agents")
#: A key stands by itself; a code of a tool's result is compared with, or
#: looked up.
KEY = re.compile(r"(?<!== )[\"']([a-z]+\.[a-z_]+)[\"'](?!:)")
PLACE = re.compile(r"\{(\w+)\}")
#: Families whose last part comes from data.
BUILT = re.compile(r"f[\"']([a-z]+)\.(\w*)\{")


def used_keys() -> tuple[set[str], set[tuple[str, str]]]:
    texts = [f.read_text(encoding="utf-8") for f in AGENTS.rglob("*.py")]
    plain = {key for text in texts for key in KEY.findall(text)}
    built = {found for text in texts for found in BUILT.findall(text)}
    return plain, built


def test_languages_have_the_same_texts_with_the_same_places() -> None:
    es, en = catalogue("es"), catalogue("en")
    assert set(es) == set(en)
    differing = [k for k in es if set(PLACE.findall(es[k])) != set(PLACE.findall(en[k]))]
    assert differing == []


def test_every_text_is_used() -> None:
    plain, built = used_keys()
    unused = [
        key
        for key in catalogue("es")
        if key not in plain
        and not any(key.startswith(f"{table}.{prefix}") for table, prefix in built)
    ]
    assert unused == []


def test_every_key_that_is_used_exists() -> None:
    plain, _ = used_keys()
    tables = {key.partition(".")[0] for key in catalogue("es")}
    missing = {k for k in plain if k.partition(".")[0] in tables} - set(catalogue("es"))
    assert missing == set()


@pytest.mark.parametrize("locale", ["es", "en"])
def test_only_known_marks_are_asked_for(locale: str) -> None:
    marks = {m for t in catalogue(locale).values() for m in re.findall(r"\[\[(!.*?)\]\]", t)}  # type: ignore[arg-type]
    tasks = {m.split(":")[1] for m in marks if m.startswith("!task:")}
    assert {m for m in marks if not m.startswith("!task:")} == {"!handoff_offer", "!verify"}
    assert tasks == {
        *("open_ticket", "pick_course", "enrol", "pick_group", "join_waitlist", "accept_offer"),
        *("withdraw", "transfer", "pick_new_group"),
    }


def test_missing_place_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("es", "ticket.opened")
