"""Dates and times of day in Spanish, English and ISO 8601."""

import re
from datetime import date

_MONTH_NAMES = (
    ("enero", "january", "jan", "ene"), ("febrero", "february", "feb"),
    ("marzo", "march", "mar"), ("abril", "april", "apr", "abr"), ("mayo", "may"),
    ("junio", "june", "jun"), ("julio", "july", "jul"), ("agosto", "august", "aug", "ago"),
    ("septiembre", "setiembre", "september", "sept", "sep", "set"),
    ("octubre", "october", "oct"), ("noviembre", "november", "nov"),
    ("diciembre", "december", "dec", "dic"),
)  # fmt: skip
MONTHS = {name: index + 1 for index, names in enumerate(_MONTH_NAMES) for name in names}
_WEEKDAY_NAMES = (
    ("lunes", "monday"), ("martes", "tuesday"), ("miércoles", "miercoles", "wednesday"),
    ("jueves", "thursday"), ("viernes", "friday"), ("sábado", "sabado", "saturday"),
    ("domingo", "sunday"),
)  # fmt: skip
WEEKDAYS = {name: index for index, names in enumerate(_WEEKDAY_NAMES) for name in names}

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_WEEKDAY = "|".join(WEEKDAYS)
_LEAD = rf"(?:\b(?P<weekday>{_WEEKDAY})\b,?\s+(?:el\s+|the\s+)?)?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.?º|ro)?"
_YEAR = r"(?P<year>(?:19|20)\d{2})"

#: From the most to the least specific; what one has taken the next does not see.
DATE_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_LEAD}\b{_YEAR}-(?P<month>\d{{2}})-(?P<day>\d{{2}})(?!\d)",
        rf"{_LEAD}\b{_DAY}\s+(?:de\s+|of\s+)?(?P<month>{_MONTH})\b\.?,?\s+(?:de\s+|del\s+)?{_YEAR}\b",
        rf"{_LEAD}\b(?P<month>{_MONTH})\b\.?\s+{_DAY}\b,?\s+{_YEAR}\b",
        rf"\b(?P<first>\d{{1,2}})[/.-](?P<second>\d{{1,2}})[/.-]{_YEAR}\b",
        rf"{_LEAD}\b{_DAY}\s+(?:de\s+|of\s+)?(?P<month>{_MONTH})\b",
        rf"{_LEAD}\b(?P<month>{_MONTH})\b\.?\s+{_DAY}\b(?!\s*[:%])",
        rf"\b(?P<month>{_MONTH})\b\.?\s+(?:de\s+|del\s+)?{_YEAR}\b",
    )
)

_HALF = r"(?P<half>[ap])\.?\s?m\b\.?"
TIME_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})(?::\d{{2}}(?:\.\d+)?)?\s?{_HALF}",
        rf"\b(?P<hour>\d{{1,2}})\s?{_HALF}",
        r"\b(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::[0-5]\d(?:\.\d+)?)?(?!\d)",
        r"\b(?P<hour>[01]?\d|2[0-4])\s?(?:h|hs|hrs)\b",
    )
)


def date_readings(found: re.Match[str]) -> frozenset[str]:
    """Return the ISO dates that a match may stand for; `--01-12` without year, `2027-01` by month.

    Day and month written as figures are read both ways.
    """
    parts = found.groupdict()
    if parts.get("first"):
        one, two = int(parts["first"]), int(parts["second"])
        pairs = {(one, two), (two, one)}
        return frozenset(_full(int(parts["year"]), m, d) for d, m in pairs) - {""}
    month = MONTHS.get(parts["month"].casefold()) or int(parts["month"])
    if not parts.get("day"):
        return frozenset({f"{parts['year']}-{month:02d}"})
    day = int(parts["day"])
    if parts.get("year"):
        return frozenset({_full(int(parts["year"]), month, day)}) - {""}
    return frozenset({f"--{month:02d}-{day:02d}"})


def weekday_of(found: re.Match[str]) -> str:
    """Return the weekday that stands before a date, as `0` (Monday) to `6`, or nothing."""
    name = found.groupdict().get("weekday")
    return str(WEEKDAYS[name.casefold()]) if name else ""


def time_reading(found: re.Match[str]) -> str:
    """Return a time of day as `HH:MM`."""
    parts = found.groupdict()
    hour, minute = int(parts["hour"]), int(parts.get("minute") or 0)
    half = (parts.get("half") or "").casefold()
    if half == "p" and hour < 12:
        hour += 12
    if half == "a" and hour == 12:
        hour = 0
    return f"{hour:02d}:{minute:02d}"


def _full(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""
