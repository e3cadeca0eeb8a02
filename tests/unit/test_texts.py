"""Every text is there in both languages, is used, and has the places that its user fills."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.strings import STRINGS, say
from tools.phrases import PHRASES, phrase
from tools.texts import Texts

PLACE = re.compile(r"\{(\w+)\}")
#: Families whose last part comes from data.
BUILT = re.compile(r"f[\"']([a-z]+)\.(\w*)\{")


@dataclass(frozen=True)
class Room:
    """A package and the texts that it says.

    Args:
        keys: how its code names a text.
    """

    texts: Texts
    package: Path
    keys: tuple[str, ...]

    def used(self) -> tuple[set[str], set[tuple[str, str]]]:
        sources = [f.read_text(encoding="utf-8") for f in self.package.rglob("*.py")]
        found = [m for s in sources for key in self.keys for m in re.finditer(key, s)]
        plain = {key for match in found for key in match.groups() if key}
        built = {found for source in sources for found in BUILT.findall(source)}
        return plain, built


ROOMS = {
    # A key stands by itself; a code of a tool's result is compared with, or looked up.
    "agents": Room(STRINGS, Path("agents"), (r"(?<!== )[\"']([a-z]+\.[a-z_]+)[\"'](?!:)",)),
    # Here a code of an error is written like a key.
    "tools": Room(
        PHRASES,
        Path("tools"),
        (
            r"phrase\(\s*[\w.]+,\s*[\"']([a-z]+\.[a-z_]+)[\"']",
            r"[\"']([a-z]+\.[a-z_]+)[\"'] (?:if|else)|else [\"']([a-z]+\.[a-z_]+)[\"']",
        ),
    ),
}


@pytest.fixture(params=ROOMS.values(), ids=ROOMS)
def room(request: pytest.FixtureRequest) -> Room:
    found: Room = request.param
    return found


def test_languages_have_the_same_texts_with_the_same_places(room: Room) -> None:
    es, en = room.texts.of("es"), room.texts.of("en")
    assert set(es) == set(en)
    differing = [k for k in es if set(PLACE.findall(es[k])) != set(PLACE.findall(en[k]))]
    assert differing == []


def test_every_text_is_used(room: Room) -> None:
    plain, built = room.used()
    unused = [
        key
        for key in room.texts.of("es")
        if key not in plain
        and not any(key.startswith(f"{table}.{prefix}") for table, prefix in built)
    ]
    assert unused == []


def test_every_key_that_is_used_exists(room: Room) -> None:
    plain, _ = room.used()
    tables = {key.partition(".")[0] for key in room.texts.of("es")}
    missing = {k for k in plain if k.partition(".")[0] in tables} - set(room.texts.of("es"))
    assert missing == set()


def test_missing_place_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("es", "ticket.opened")
    with pytest.raises(KeyError):
        phrase("es", "enrol.summary")
