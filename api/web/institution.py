"""What the site says of the institution itself: names, addresses, opening hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from crm.courses.models import Bilingual, Weekday

_SOURCE = Path(__file__).parents[1] / "demo" / "institution" / "institution.yaml"


@dataclass(frozen=True, slots=True)
class Campus:
    """A place where courses are given."""

    code: str
    name: Bilingual
    address: str


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When people answer, on these days."""

    days: tuple[Weekday, ...]
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Institution:
    """The institution as a visitor sees it."""

    name: str
    tagline: Bilingual
    contact: dict[str, str]
    campuses: tuple[Campus, ...]
    support_hours: tuple[OpeningHours, ...]

    def campus_name(self, code: str, locale: str) -> str:
        """Return a campus's name, or its code when it is not known."""
        names = {campus.code: campus.name.of(locale) for campus in self.campuses}
        return names.get(code, code)


@cache
def load_institution() -> Institution:
    """Read the institution's description."""
    source: dict[str, Any] = yaml.safe_load(_SOURCE.read_text("utf-8"))
    return Institution(
        name=source["name"],
        tagline=Bilingual(**source["tagline"]),
        contact=source["contact"],
        campuses=tuple(_campus(c) for c in source["campuses"]),
        support_hours=_opening_hours(source["support_hours"]),
    )


def _campus(source: dict[str, Any]) -> Campus:
    return Campus(source["code"], Bilingual(**source["name"]), source["address"])


def _opening_hours(source: Sequence[dict[str, Any]]) -> tuple[OpeningHours, ...]:
    return tuple(
        OpeningHours(
            tuple(line["days"]), time.fromisoformat(line["start"]), time.fromisoformat(line["end"])
        )
        for line in source
    )
