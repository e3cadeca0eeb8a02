"""Which day and hour a student names, relative to now."""

import re
from datetime import date, datetime, time, timedelta

from agents.llm.offline.lexicon import Lexicon

#: As tools call the days.
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: How the days' names begin, in both languages.
_BEGINNINGS = {
    **dict(zip(("lun", "mar", "mie", "jue", "vie", "sab", "dom"), WEEK, strict=True)),
    **{day: day for day in WEEK},
}
_HOUR = re.compile(
    r"(?:\ba las? |\bat |\bsobre las? |\baround |\bhacia las? )?"
    r"\b(?P<hour>[01]?\d|2[0-3])(?:[:.h](?P<minute>[0-5]\d))?\s*(?P<half>[ap]\.? ?m\b)?"
)
_SAID_AS_HOUR = re.compile(r"^(?:a las?|at|sobre|around|hacia)")
_DAY_OF_MONTH = re.compile(r"\b(?:el|dia|the|on the)(?: dia)? (\d{1,2})(?:st|nd|rd|th)?\b(?!:)")
#: Nobody is met before: what is said without a half of the day is of the afternoon.
_EARLIEST = 7
#: A number in an answer this short is its hour.
_MOST_WORDS = 3


def day_in(text: str, now: datetime, lex: Lexicon) -> date | None:
    """Return the day that a text names, today or later.

    Args:
        text: in plain form.
        now: in the institution's time zone.
    """
    today = now.date()
    for slot, days in (("day_after_tomorrow", 2), ("tomorrow", 1), ("today", 0)):
        if lex.slots[slot].search(text):
            return today + timedelta(days=days)
    if weekdays := weekdays_in(text, lex):
        ahead = WEEK.index(weekdays[0]) - today.weekday()
        return today + timedelta(days=(ahead - 1) % 7 + 1)
    numbered = _DAY_OF_MONTH.search(text)
    return _next_on(int(numbered[1]), today) if numbered else None


def weekdays_in(text: str, lex: Lexicon) -> list[str]:
    """Return the days of the week that a text names, as tools call them, e.g. `mon`."""
    named = (_BEGINNINGS[found.group()[:3]] for found in lex.slots["weekday"].finditer(text))
    return list(dict.fromkeys(named))


def _next_on(number: int, today: date) -> date | None:
    for ahead in range(62):
        day = today + timedelta(days=ahead)
        if day.day == number:
            return day
    return None


def hour_in(text: str) -> time | None:
    """Return the hour that a text names, of the afternoon where nothing else is said of it.

    Args:
        text: in plain form; a bare number counts only where there is hardly anything else.
    """
    short = len(text.split()) <= _MOST_WORDS
    day = _DAY_OF_MONTH.search(text)
    rest = text[: day.start()] + " " + text[day.end() :] if day else text
    for found in _HOUR.finditer(rest):
        certain = found["minute"] or found["half"] or _SAID_AS_HOUR.match(found.group())
        if certain or short:
            return _time_of(found)
    return None


def _time_of(found: re.Match[str]) -> time:
    hour, half = int(found["hour"]), (found["half"] or "")[:1]
    if (half == "p" and hour < 12) or (not half and hour < _EARLIEST):
        hour += 12
    if half == "a" and hour == 12:
        hour = 0
    return time(hour % 24, int(found["minute"] or 0))
