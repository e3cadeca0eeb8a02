"""Reads the institution's files as the rows of the catalogue."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from crm.courses.models import WEEKDAYS
from crm.courses.rules import assert_acyclic, last_day
from crm.ids import new_id

INSTITUTION = Path(__file__).parent / "institution"

_NAMES = ("areas", "courses", "programmes", "cohorts", "scholarships", "discounts", "staff")

Row = Mapping[str, Any]


class CatalogueFiles:
    """The catalogue as its files have it; all of them are read at once.

    Args:
        today: the day of loading; cohorts start so many days from it.
        at: the time of loading.
    """

    def __init__(self, folder: Path, *, today: date, at: datetime) -> None:
        self._today = today
        self._at = at
        self._files = {name: _read(folder / f"{name}.yaml") for name in _NAMES}
        self._courses = {c["code"]: c for c in self._files["courses"]}
        assert_acyclic({code: c["prerequisites"] for code, c in self._courses.items()})

    def areas(self) -> list[Row]:
        """Return rows of `areas`."""
        return [{"code": a["code"], **_both("name", a["name"])} for a in self._files["areas"]]

    def courses(self) -> list[Row]:
        """Return rows of `courses`."""
        return [self._course(c) for c in self._courses.values()]

    def _course(self, course: Row) -> Row:
        texts = (_both(name, course[name]) for name in ("title", "summary", "outcomes"))
        return {
            **_only(course, "code area level language keywords hours weeks hours_per_week"),
            **_only(course, "price_minor currency certificate"),
            **_merged(texts),
            "active": True,
            "updated_at": self._at,
        }

    def prerequisites(self, codes: Iterable[str]) -> list[Row]:
        """Return rows of `course_prerequisites` for some courses."""
        return [
            {"course_code": code, "prerequisite_code": before}
            for code in codes
            for before in self._courses[code]["prerequisites"]
        ]

    def programmes(self) -> list[Row]:
        """Return rows of `programmes`."""
        return [
            {
                **_only(p, "code area level duration_months credits fee_minor currency"),
                **_merged(_both(name, p[name]) for name in ("title", "summary", "admission")),
                "active": True,
                "updated_at": self._at,
            }
            for p in self._files["programmes"]
        ]

    def programme_courses(self, codes: Iterable[str]) -> list[Row]:
        """Return rows of `programme_courses` for some programmes."""
        wanted = set(codes)
        return [
            {"programme_code": p["code"], "course_code": course, "position": position}
            for p in self._files["programmes"]
            if p["code"] in wanted
            for position, course in enumerate(p["courses"], start=1)
        ]

    def cohorts(self) -> list[Row]:
        """Return rows of `cohorts`, dated from the day of loading."""
        return [self._cohort(c) for c in self._files["cohorts"]]

    def _cohort(self, cohort: Row) -> Row:
        course, schedule = self._courses[cohort["course"]], cohort["schedule"]
        starts_on = first_class(
            self._today + timedelta(days=cohort["start_offset_days"]), schedule["days"]
        )
        closes = starts_on - timedelta(days=cohort["enrolment_closes_days_before"])
        return {
            **_only(cohort, "code modality campus seats status"),
            **_only(course, "price_minor currency"),
            "id": new_id(),
            "course_code": course["code"],
            "starts_on": starts_on,
            "ends_on": last_day(starts_on, course["weeks"], schedule["days"]),
            "enrolment_closes": closes,
            "days": schedule["days"],
            "start_time": schedule["start"],
            "end_time": schedule["end"],
            "blocked_seats": cohort.get("seats_taken_demo", 0),
            "updated_at": self._at,
        }

    def scholarships(self) -> list[Row]:
        """Return rows of `scholarships`."""
        texts = ("name", "description", "eligibility", "deadline")
        return [
            {
                **_only(s, "code percent cap_minor fund_minor currency combines"),
                **_merged(_both(name, s[name]) for name in texts),
            }
            for s in self._files["scholarships"]
        ]

    def discounts(self) -> list[Row]:
        """Return rows of `discounts`."""
        return [
            {
                **_only(d, "code percent cap_minor currency rule"),
                **_merged(_both(name, d[name]) for name in ("name", "description")),
            }
            for d in self._files["discounts"]
        ]

    def staff(self) -> list[Row]:
        """Return the members of staff as their file has them."""
        return self._files["staff"]


def _read(path: Path) -> list[Row]:
    rows: list[Row] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return rows


def first_class(day: date, days: Iterable[str]) -> date:
    """Return the first day of class in the week that starts on the Monday on or after a day."""
    monday = day + timedelta(days=-day.weekday() % 7)
    return monday + timedelta(days=min(WEEKDAYS.index(d) for d in WEEKDAYS if d in set(days)))


def _only(row: Row, names: str) -> Row:
    return {name: row[name] for name in names.split()}


def _both(name: str, texts: Row) -> Row:
    return {f"{name}_es": texts["es"], f"{name}_en": texts["en"]}


def _merged(rows: Iterable[Row]) -> Row:
    return {name: value for row in rows for name, value in row.items()}
