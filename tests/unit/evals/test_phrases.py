"""Words, amounts and dates are found whatever their spelling, and not inside others."""

from datetime import date
from decimal import Decimal

import pytest

from evals.phrases import has_day, has_phrase, numbers_in

DAY = date(2026, 12, 7)


@pytest.mark.parametrize(
    "text",
    [
        "Empieza el lunes, 7 de diciembre de 2026.",
        "empieza el 7 dic",
        "It starts on Monday, December 7, 2026.",
        "7 December",
        "on Dec 7",
        "the 7 of December",
        "2026-12-07",
        "07/12/2026",
        "7/12/2026",
    ],
)
def test_day_is_found_however_it_is_written(text: str) -> None:
    assert has_day(text, DAY)


@pytest.mark.parametrize(
    "text", ["17 de diciembre", "7 de enero", "December 17", "2026-12-17", "12/7/2026", "el 7", ""]
)
def test_other_days_are_not_taken_for_it(text: str) -> None:
    assert not has_day(text, DAY)


def test_september_is_not_december() -> None:
    assert has_day("14 de septiembre", date(2026, 9, 14))
    assert not has_day("14 de septiembre", date(2026, 12, 14))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("USD 1,299.00", ["1299.00"]),
        ("1.299,00 USD", ["1299.00"]),
        ("US$189", ["189"]),
        ("cuesta 189.00.", ["189.00"]),
        ("10 días, 4,200 y 9,800.50", ["10", "4200", "9800.50"]),
        ("19:00–21:30", ["19", "00", "21", "30"]),
        ("nada", []),
    ],
)
def test_numbers_are_read_in_either_style(text: str, numbers: list[str]) -> None:
    assert list(numbers_in(text)) == [Decimal(n) for n in numbers]


@pytest.mark.parametrize(
    ("text", "phrase", "there"),
    [
        ("Son 16 años.", "16", True),
        ("Son 160 años.", "16", False),
        ("Son 16.5 años.", "16", False),
        ("Son 3,16 años.", "16", False),
        ("Teachers’ Scholarship", "teachers' scholarship", True),
        ("Análisis", "analisis", True),
        ("USD 100", "USD 10", False),
        ("USD 10.", "USD 10", True),
    ],
)
def test_phrases_ignore_case_and_accents_but_not_digits(
    text: str, phrase: str, there: bool
) -> None:
    assert has_phrase(text, phrase) is there
