"""What made-up students are made of: names, dialogues, phones, and the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

import phonenumbers
import yaml

FOLDER = Path(__file__).parent

Locale = Literal["es", "en"]
Exchange = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one language and where its speakers live."""

    given: tuple[str, ...]
    second: tuple[str, ...]
    family: tuple[str, ...]
    time_zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """What a conversation can be about.

    Args:
        exchanges: question and answer, by language.
        ticket: title and description, by language.
    """

    name: str
    category: str
    exchanges: Mapping[Locale, tuple[Exchange, ...]]
    ticket: Mapping[Locale, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """What a history needs to know of a course.

    Args:
        price: as people write it.
        prerequisites: codes that must be completed before.
    """

    code: str
    title: Mapping[Locale, str]
    price: str
    price_minor: int
    currency: str
    weeks: int
    prerequisites: frozenset[str]


@dataclass(frozen=True, slots=True)
class OpenCohort:
    """A cohort that one may enrol in."""

    id: str
    course_code: str
    starts_on: date


@dataclass(frozen=True, slots=True)
class Material:
    """Everything a student is made of.

    Args:
        courses: in the order of their codes; at least one has no prerequisites.
        topics: without `handoff`.
        advisors: ids of staff who answer and look after tickets.
        phones: fictional numbers, each for one student.
        programmes: codes that leads may be about.
        scholarships: codes that one applies for.
    """

    names: Mapping[Locale, Names]
    topics: tuple[Topic, ...]
    handoff: Topic
    courses: tuple[CourseFacts, ...]
    cohorts: tuple[OpenCohort, ...]
    advisors: tuple[str, ...]
    phones: tuple[str, ...]
    programmes: tuple[str, ...]
    scholarships: tuple[str, ...]


@cache
def read_names() -> Mapping[Locale, Names]:
    """Return the names by language."""
    raw = yaml.safe_load((FOLDER / "names.yaml").read_text(encoding="utf-8"))
    return {
        locale: Names(
            tuple(raw[locale]["given"]),
            tuple(raw[locale]["second"]),
            tuple(raw[locale]["family"]),
            tuple(raw["time_zones"][locale]),
        )
        for locale in ("es", "en")
    }


@cache
def read_topics() -> tuple[Topic, ...]:
    """Return what conversations can be about."""
    raw = yaml.safe_load((FOLDER / "dialogues.yaml").read_text(encoding="utf-8"))
    return tuple(_topic(entry) for entry in raw)


def _topic(entry: Mapping[str, object]) -> Topic:
    exchanges: dict[Locale, tuple[Exchange, ...]] = {}
    ticket: dict[Locale, tuple[str, str]] = {}
    texts: Mapping[str, list[str]] = entry["ticket"]  # type: ignore[assignment]
    for locale in ("es", "en"):
        pairs: list[list[str]] = entry[locale]  # type: ignore[assignment]
        exchanges[locale] = tuple((question, answer) for question, answer in pairs)
        ticket[locale] = (texts[locale][0], texts[locale][1])
    return Topic(str(entry["topic"]), str(entry["category"]), exchanges, ticket)


@cache
def fictional_phones() -> tuple[str, ...]:
    """Return the numbers 555-0100 to 555-0199 of every area code that can be dialled.

    That range is reserved for fiction in North America. 202 is left out: the institution and the
    people one tries the demo with have theirs there.
    """
    areas = [a for a in range(201, 990) if a != 202 and _is_area(a)]
    return tuple(f"+1{area}55501{number:02d}" for area in areas for number in range(100))


def _is_area(area: int) -> bool:
    return phonenumbers.is_valid_number(phonenumbers.parse(f"+1{area}5550100"))
