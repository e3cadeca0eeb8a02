"""Puts amounts, dates and schedules into words, so that a model quotes and never computes."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_day_names
from babel.lists import format_list
from babel.numbers import format_decimal

from crm.clock import day_in
from crm.courses.models import WEEKDAYS, Modality, Schedule
from crm.money import Money, exponent_of
from tools.context import Locale

#: Latin American Spanish writes 1,299.00; `es` alone would write 1.299,00.
_REGION: dict[Locale, str] = {"es": "es_419", "en": "en_US"}
_MODALITIES: dict[Locale, dict[Modality, str]] = {
    "es": {"online": "en línea", "onsite": "presencial", "hybrid": "híbrida"},
    "en": {"online": "online", "onsite": "onsite", "hybrid": "hybrid"},
}


def money_text(money: Money, locale: Locale) -> str:
    """Return an amount with its currency's code, e.g. `USD 1,299.00`."""
    digits = exponent_of(money.currency)
    amount = major_units(money.amount_minor, money.currency)
    pattern = "#,##0." + "0" * digits if digits else "#,##0"
    return f"{money.currency} {format_decimal(amount, pattern, locale=_REGION[locale])}"


def major_units(amount_minor: int, currency: str) -> Decimal:
    """Return an amount as people write it: 12990 US cents are 129.90."""
    return Decimal(amount_minor).scaleb(-exponent_of(currency))


def date_text(day: date, locale: Locale) -> str:
    """Return a day with its weekday and year."""
    return str(format_date(day, "full", locale=_REGION[locale]))


def instant_text(instant: datetime, locale: Locale, *, time_zone: str) -> str:
    """Return the day that an instant falls on in a time zone."""
    return date_text(day_in(time_zone, instant), locale)


def moment_text(instant: datetime, locale: Locale, *, time_zone: str) -> str:
    """Return the day and the hour of an instant in a time zone."""
    local = instant.astimezone(ZoneInfo(time_zone))
    return f"{date_text(local.date(), locale)}, {local:%H:%M}"


def schedule_text(schedule: Schedule, locale: Locale) -> str:
    """Return the days and hours of a class, e.g. `lunes y miércoles, 19:00–21:00`."""
    names = get_day_names("wide", locale=_REGION[locale])
    days = [names[WEEKDAYS.index(day)] for day in schedule.days]
    return f"{list_text(days, locale)}, {schedule.start_time:%H:%M}–{schedule.end_time:%H:%M}"


def list_text(items: Sequence[str], locale: Locale) -> str:
    """Return an enumeration in words."""
    return str(format_list(list(items), locale=_REGION[locale]))


def modality_text(modality: Modality, locale: Locale) -> str:
    """Return how a class is held."""
    return _MODALITIES[locale][modality]
