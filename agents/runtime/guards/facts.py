"""What a text states that can be true or false by a figure: amounts, dates, addresses, codes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from agents.runtime.guards.dates import (
    DATE_PATTERNS,
    TIME_PATTERNS,
    date_readings,
    time_reading,
    weekday_of,
)
from agents.runtime.guards.marks import without_marks
from agents.runtime.guards.numbers import NUMBER, NUMBER_WORD, readings_of

Kind = Literal[
    "url", "email", "phone", "date", "time", "amount", "percent", "quantity", "code", "number"
]


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement by figure.

    Args:
        values: its readings; one that can be traced is enough.
        unit: currency, unit or weekday, where the text tells it.
    """

    kind: Kind
    values: frozenset[str]
    unit: str = ""


_CURRENCIES = {
    "us$": "USD", "usd": "USD", "dolares": "USD", "dólares": "USD", "dollars": "USD",
    "dólar": "USD", "dolar": "USD", "dollar": "USD", "$": "", "s/": "PEN", "s/.": "PEN",
    "soles": "PEN", "sol": "PEN", "pen": "PEN", "€": "EUR", "eur": "EUR", "euros": "EUR",
    "euro": "EUR", "mxn": "MXN", "cop": "COP", "clp": "CLP", "ars": "ARS", "pesos": "",
}  # fmt: skip
_BEFORE = r"US\$|USD|S/\.?|€|EUR|PEN|MXN|COP|CLP|ARS|\$"
_AFTER = r"USD|US\$|d[óo]lar(?:es)?|dollars?|soles|sol|PEN|€|EUR|euros?|MXN|COP|CLP|ARS|pesos|\$"

_UNITS = {
    "minute": "minutos? minutes? min", "hour": "horas? hours? hrs?", "day": "d[ií]as? days?",
    "week": "semanas? weeks?", "month": "mes(?:es)? months?", "year": "años? years?",
    "seat": "cupos? plazas? vacantes? seats? places? spots? lugares",
    "credit": "cr[ée]ditos? credits?",
    "instalment": "cuotas? instal+ments?",
}  # fmt: skip
_UNIT_PATTERNS = [(unit, re.compile("|".join(w.split()), re.I)) for unit, w in _UNITS.items()]
_UNIT = "|".join(pattern for words in _UNITS.values() for pattern in words.split())
_SORTS = r"(?:\s+(?:business|working|calendar|full|h[áa]biles|class))?"

_Reader = Callable[["re.Match[str]"], Fact | None]


def facts_in(text: str) -> tuple[Fact, ...]:
    """Return every fact of a text, each character belonging to one at the most."""
    if not _MAY_STATE.search(text):
        return ()
    rest = _ENUMERATOR.sub(" ", _UUID.sub(" ", without_marks(text)))
    facts: list[Fact] = []
    for pattern, read in _READERS:
        rest = _take(rest, pattern, read, facts)
    return tuple(facts)


def unit_of(word: str) -> str:
    """Return the canonical unit that a word or a key's part names, or nothing."""
    return next((unit for unit, pattern in _UNIT_PATTERNS if pattern.fullmatch(word)), "")


def digits_of(written: str) -> str:
    """Return a telephone number's digits."""
    return re.sub(r"\D", "", written)


def _take(text: str, pattern: re.Pattern[str], read: _Reader, facts: list[Fact]) -> str:
    def note(found: re.Match[str]) -> str:
        fact = read(found)
        if fact is None:
            return found.group()
        facts.append(fact)
        return " ; "

    return pattern.sub(note, text)


def _date(found: re.Match[str]) -> Fact | None:
    values = date_readings(found)
    return Fact("date", values, weekday_of(found)) if values else None


def _time(found: re.Match[str]) -> Fact:
    return Fact("time", frozenset({time_reading(found)}))


def _amount(found: re.Match[str]) -> Fact:
    currency = _CURRENCIES.get(found["currency"].casefold(), "")
    return Fact("amount", readings_of(found["number"]), currency)


def _percent(found: re.Match[str]) -> Fact:
    return Fact("percent", readings_of(found["number"]))


def _quantity(found: re.Match[str]) -> Fact:
    return Fact("quantity", readings_of(found["number"]), unit_of(found["unit"]))


def _number(found: re.Match[str]) -> Fact:
    return Fact("number", readings_of(found.group()))


def _phone(found: re.Match[str]) -> Fact | None:
    digits = digits_of(found.group())
    return Fact("phone", frozenset({digits})) if 8 <= len(digits) <= 15 else None


def _literal(kind: Kind) -> _Reader:
    def read(found: re.Match[str]) -> Fact:
        written = found.group().casefold().rstrip(".,;:)/")
        return Fact(kind, frozenset({written.replace("–", "-")}))

    return read


def _readers() -> Iterator[tuple[re.Pattern[str], _Reader]]:
    yield re.compile(r"\b(?:https?://|www\.)[^\s<>\"\]]+", re.I), _literal("url")
    yield re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), _literal("email")
    for pattern in DATE_PATTERNS:
        yield pattern, _date
    yield re.compile(r"\+\d[\d\s().-]{6,}\d|\b\d{3}[\s.-]\d{3}[\s.-]\d{3,4}\b|\b\d{9,}\b"), _phone
    for pattern in TIME_PATTERNS:
        yield pattern, _time
    number = rf"(?P<number>{NUMBER})"
    yield re.compile(rf"(?<![\w/])(?P<currency>{_BEFORE})\s?{number}", re.I), _amount
    yield re.compile(rf"(?<![\w.,-]){number}\s?(?P<currency>{_AFTER})(?!\w)", re.I), _amount
    worded = rf"(?<![\w.,])(?P<number>{NUMBER}|{NUMBER_WORD})"
    yield re.compile(rf"{worded}\s?(?:%|(?:por\s?ciento|per\s?cent)\b)", re.I), _percent
    yield re.compile(rf"{worded}{_SORTS}[\s-](?P<unit>{_UNIT})\b", re.I), _quantity
    yield (
        re.compile(r"\b(?=\w*\d)(?=\w*[^\W\d_])\w+(?:[-–]\w+)*|\b[^\W\d_]+-\d[\w-]*"),
        _literal("code"),
    )
    yield re.compile(rf"(?<![\w.,])(?:{NUMBER})"), _number


#: Most texts hold nothing like a fact: they are told by this one look.
_MAY_STATE = re.compile(rf"\d|@|www\.|https?:|\b(?:{NUMBER_WORD})\b", re.I)
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.I)
_ENUMERATOR = re.compile(r"(?m)^\s*\d{1,2}[.)]\s")
_READERS = tuple(_readers())
