"""What words mean to the offline model: cues per language, compiled once."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from agents.runtime.brief import Locale

_FOLDER = Path(__file__).parent / "lexicon"

Cues = Mapping[str, re.Pattern[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """One language's cues.

    Args:
        facets: what can be asked of a course.
        intents: what can be wanted, besides facts of courses and rules.
        knowledge: fields that the institution's documents cover.
        outside: matters that are none of ours.
        domain: words that show that somebody speaks of studying at all.
        slots: filters, references to what was said, yes and no.
        noise: words that never belong to a course's subject.
        vocabulary: whole words that a typo is repaired to.
        counts: numbers in words.
    """

    spellings: Mapping[str, str]
    facets: Cues
    intents: Cues
    knowledge: Cues
    outside: re.Pattern[str]
    domain: re.Pattern[str]
    slots: Cues
    noise: re.Pattern[str]
    people: Mapping[str, str]
    not_people: re.Pattern[str]
    vocabulary: frozenset[str]
    counts: Mapping[str, int]


@cache
def lexicon(locale: Locale) -> Lexicon:
    """Return a language's cues."""
    with (_FOLDER / f"{locale}.toml").open("rb") as file:
        tables: dict[str, Any] = tomllib.load(file)
    people = tables["other_people"]
    return Lexicon(
        spellings=tables["spellings"],
        facets=_compiled(tables["facets"]),
        intents=_compiled(tables["intents"]),
        knowledge=_compiled(tables["knowledge"]),
        outside=_any_of(tables["scope"]["outside"]),
        domain=_any_of(tables["scope"]["domain"]),
        slots=_compiled(tables["slots"]),
        noise=_any_of(tables["topic"]["noise"]),
        people={key: people[key] for key in ("fields", "relations")},
        not_people=_any_of(people["not_people"]),
        vocabulary=_whole_words(tables),
        counts=tables["counts"],
    )


def _compiled(table: Mapping[str, str | list[str]]) -> Cues:
    return {
        name: re.compile(cues) if isinstance(cues, str) else _any_of(cues)
        for name, cues in table.items()
    }


def _any_of(cues: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(cues)})(?!\w)")


def _whole_words(tables: Mapping[str, Any]) -> frozenset[str]:
    """Return the words that stand in cues as they are, five letters or more."""
    groups = [*tables["facets"].values(), *tables["intents"].values(), tables["scope"]["domain"]]
    cues = [cue for group in groups for cue in ([group] if isinstance(group, str) else group)]
    return frozenset(
        word for cue in cues for word in re.findall(r"(?<![\w\\])[a-z]{5,}(?![\w\\\[(?*+])", cue)
    )
