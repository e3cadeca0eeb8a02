"""Figures as people write them, in every way they may be read."""

import re
from collections.abc import Iterable
from decimal import Decimal

_SPACES = "\u0020\u00a0\u2009\u202f"

#: Grouped by thousands, with decimals, or plain.
NUMBER = rf"(?:\d{{1,3}}(?:[.,'{_SPACES}]\d{{3}})+(?!\d)(?:[.,]\d{{1,2}})?|\d+(?:[.,]\d+)?)(?!\d)"

_WORDS = {
    2: "dos two", 3: "tres three", 4: "cuatro four", 5: "cinco five", 6: "seis six",
    7: "siete seven", 8: "ocho eight", 9: "nueve nine", 10: "diez ten", 11: "once eleven",
    12: "doce twelve", 13: "trece thirteen", 14: "catorce fourteen", 15: "quince fifteen",
    16: "dieciseis dieciséis sixteen", 17: "diecisiete seventeen", 18: "dieciocho eighteen",
    19: "diecinueve nineteen", 20: "veinte twenty", 24: "veinticuatro twenty-four",
    30: "treinta thirty", 40: "cuarenta forty", 48: "cuarenta y ocho|forty-eight",
    50: "cincuenta fifty", 60: "sesenta sixty", 70: "setenta seventy", 80: "ochenta eighty",
    90: "noventa ninety", 100: "cien hundred", 1000: "mil thousand",
}  # fmt: skip
WORD_VALUES = {
    word: value
    for value, words in _WORDS.items()
    for word in (words.split("|") if "|" in words else words.split())
}
NUMBER_WORD = "|".join(sorted(map(re.escape, WORD_VALUES), key=len, reverse=True))


def plain(value: Decimal | int) -> str:
    """Return one spelling for equal values: no exponent, no trailing zeros."""
    text = format(Decimal(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def readings_of(written: str) -> frozenset[str]:
    """Return the values that a figure may stand for.

    `1.200` is a thousand and two hundred in Lima's accounts and one and a fifth in London's: both.
    """
    if written.casefold() in WORD_VALUES:
        return frozenset({plain(WORD_VALUES[written.casefold()])})
    text = re.sub(rf"[{_SPACES}']", "", written)
    points, commas = text.count("."), text.count(",")
    if points and commas:
        return _both(text)
    if points + commas == 0:
        return _decimals([text])
    mark = "." if points else ","
    if points + commas > 1:
        return _decimals([text.replace(mark, "")])
    decimal = text.replace(mark, ".")
    if len(text.rpartition(mark)[2]) == 3 and not text.startswith("0"):
        return _decimals([decimal, text.replace(mark, "")])
    return _decimals([decimal])


def _both(text: str) -> frozenset[str]:
    decimal = max(".,", key=text.rfind)
    group = "," if decimal == "." else "."
    return _decimals([text.replace(group, "").replace(decimal, ".")])


def _decimals(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(plain(Decimal(text)) for text in texts)
