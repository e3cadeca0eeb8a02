"""Writes amounts and dates as the reader of a reminder expects them."""

from datetime import date

from crm.money import Money, exponent_of
from crm.people.models import Locale

_MONTHS = {
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
    "en": "January February March April May June July August September October November December",
}


def amount_in_words(amount: Money) -> str:
    """Return e.g. `USD 1,890.50`; decimals appear only where there are any."""
    exponent = exponent_of(amount.currency)
    whole, rest = divmod(amount.amount_minor, pow(10, exponent))
    decimals = f".{rest:0{exponent}d}" if rest else ""
    return f"{amount.currency} {whole:,}{decimals}"


def day_in_words(day: date, locale: Locale) -> str:
    """Return e.g. `7 de diciembre de 2026`."""
    month = _MONTHS[locale].split()[day.month - 1]
    joint = " de " if locale == "es" else " "
    return joint.join((str(day.day), month, str(day.year)))
