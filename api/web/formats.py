"""Writes money, dates and times as a reader of the language expects them."""

from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, get_day_names
from babel.lists import format_list
from babel.numbers import format_decimal

from api.web.catalogue import Locale, translate
from crm.courses.models import WEEKDAYS, Weekday
from crm.money import Money, exponent_of

_BABEL = {"es": "es_419", "en": "en"}
_DAY = {"es": "d 'de' MMMM 'de' y", "en": "d MMMM y"}
#: More days in a row than this are written as "from … to …".
_LONG_RUN = 2
_SHORT_DAY = {"es": "d MMM y", "en": "d MMM y"}


def money(amount: Money, locale: Locale) -> str:
    """Return e.g. `USD 1,890` or `USD 150.50`; decimals appear only where there are any."""
    exponent = exponent_of(amount.currency)
    whole, rest = divmod(amount.amount_minor, 10**exponent)
    pattern = "#,##0." + "0" * exponent if rest else "#,##0"
    value = amount.amount_minor / 10**exponent if rest else whole
    number = format_decimal(value, format=pattern, locale=_BABEL[locale])
    return f"{amount.currency}\N{NO-BREAK SPACE}{number}"


def day(value: date, locale: Locale) -> str:
    """Return e.g. `7 de diciembre de 2026`."""
    return str(format_date(value, _DAY[locale], locale=_BABEL[locale]))


def short_day(value: date, locale: Locale) -> str:
    """Return e.g. `7 dic 2026`."""
    return str(format_date(value, _SHORT_DAY[locale], locale=_BABEL[locale]))


def moment(value: datetime, locale: Locale, time_zone: str) -> str:
    """Return e.g. `7 dic 2026, 19:05` by the institution's clock."""
    local = value.astimezone(ZoneInfo(time_zone))
    return str(format_datetime(local, f"{_SHORT_DAY[locale]}, HH:mm", locale=_BABEL[locale]))


def clock_time(value: time) -> str:
    """Return e.g. `19:00`."""
    return f"{value:%H:%M}"


def weekdays(days: Sequence[Weekday], locale: Locale) -> str:
    """Return e.g. `lunes y miércoles`, or `lunes a viernes` for a longer run of days."""
    numbers = [WEEKDAYS.index(d) for d in days]
    names = get_day_names("wide", locale=_BABEL[locale])
    first, last = numbers[0], numbers[-1]
    if len(numbers) > _LONG_RUN and numbers == list(range(first, last + 1)):
        return translate(locale, "course.days", {"first": names[first], "last": names[last]})
    return str(format_list([names[n] for n in numbers], locale=_BABEL[locale]))
