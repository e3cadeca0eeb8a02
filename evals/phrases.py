"""Finds words, amounts and dates in what was said, whatever their spelling."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation

_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)")
_MONTHS = {
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
    " diciembre",
    "en": "january february march april may june july august september october november december",
}


def folded(text: str) -> str:
    """Return a text in lower case, without accents, with plain spaces and apostrophes."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(kept.split())


def has_phrase(text: str, phrase: str) -> bool:
    """Return whether a text has a phrase; a digit at its edge must not go on as a number."""
    pattern = re.escape(folded(phrase))
    before = r"(?<![\d.,])" if phrase[:1].isdigit() else ""
    after = r"(?!\d|[.,]\d)" if phrase[-1:].isdigit() else ""
    return re.search(before + pattern + after, folded(text)) is not None


def first_found(text: str, phrases: Iterable[str]) -> str | None:
    """Return the first of the phrases that a text has."""
    return next((p for p in phrases if has_phrase(text, p)), None)


def numbers_in(text: str) -> Iterator[Decimal]:
    """Yield the numbers of a text in either style: `1,299.00` or `1.299,00`."""
    for match in _NUMBER.finditer(folded(text)):
        found = _decimal(match.group())
        if found is not None:
            yield found


def _decimal(token: str) -> Decimal | None:
    cents = re.search(r"[.,](\d{1,2})$", token)
    whole = token[: cents.start()] if cents else token
    digits = re.sub(r"\D", "", whole)
    try:
        return Decimal(f"{digits}.{cents.group(1)}" if cents else digits)
    except InvalidOperation:
        return None


def spellings_of(day: date) -> tuple[str, ...]:
    """Return how people write a day, folded; the month comes before the day only in words."""
    es, en = (_MONTHS[locale].split()[day.month - 1] for locale in ("es", "en"))
    number = day.day
    return (
        day.isoformat(),
        *(f"{number} de {es[:3]}", f"{number} {es[:3]}"),
        *(f"{en[:3]} {number}", f"{en} {number}", f"{number} {en[:3]}", f"{number} of {en[:3]}"),
        *(f"{number}/{day.month}/{day.year}", f"{number:02d}/{day.month:02d}/{day.year}"),
    )


def has_day(text: str, day: date) -> bool:
    """Return whether a text names a day; the year may be left out."""
    said = folded(text)
    return any(
        re.search(rf"(?<!\d){re.escape(way)}(?!\d)", said) is not None for way in spellings_of(day)
    )
