"""Whether a group of a course is given when and how a student wants it."""

from collections.abc import Mapping
from typing import Any

from agents.llm.offline.intents import Filters
from agents.runtime.guards.input import fold

_EVENING_FROM, _AFTERNOON_FROM = "18:00", "12:00"
_WEEKEND = ("sabado", "domingo", "saturday", "sunday")


def is_at(group: Mapping[str, Any], wanted: Filters) -> bool:
    """Return whether a group's schedule and modality are what was asked for."""
    schedule = fold(str(group["schedule"]))
    start = schedule.rpartition(", ")[2][:5]
    return (
        (not wanted.weekend or any(day in schedule for day in _WEEKEND))
        and wanted.part_of_day in ("", _part_of_day(start))
        and wanted.modality in ("", group["modality"])
    )


def _part_of_day(start: str) -> str:
    if start >= _EVENING_FROM:
        return "evening"
    return "afternoon" if start >= _AFTERNOON_FROM else "morning"
