"""How values are written into a file that people open in a spreadsheet: pure rules."""

import re
from datetime import datetime
from decimal import Decimal

from crm.money import exponent_of

#: A cell that begins so may be run as a formula; a phone number does, and is none.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_PHONE = re.compile(r"\+\d{6,15}")


def cell_of(value: object) -> str:
    """Return a value as a cell: no formula, ISO dates, yes and no in digits of none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value)
    if _FORMULA.match(text) and not _PHONE.fullmatch(text):
        return "'" + text
    return text


def price_of(amount_minor: int, currency: str) -> str:
    """Return an amount with a point before its minor units, as an import reads it."""
    return str(Decimal(amount_minor).scaleb(-exponent_of(currency)))
