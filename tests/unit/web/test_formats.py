"""Money, dates and times as readers of both languages write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from api.web.formats import clock_time, day, moment, money, short_day, weekdays
from crm.money import Money


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (Money(18900, "USD"), "USD 189"),
        (Money(15050, "USD"), "USD 150.50"),
        (Money(123456789, "PEN"), "PEN 1,234,567.89"),
        (Money(250000, "CLP"), "CLP 250,000"),
        (Money(0, "USD"), "USD 0"),
    ],
)
def test_money_shows_decimals_only_where_there_are_any(amount: Money, expected: str) -> None:
    for locale in ("es", "en"):
        assert money(amount, locale).replace("\N{NO-BREAK SPACE}", " ") == expected


def test_days_are_written_in_the_language() -> None:
    assert day(date(2026, 12, 7), "es") == "7 de diciembre de 2026"
    assert day(date(2026, 12, 7), "en") == "7 December 2026"
    assert short_day(date(2026, 12, 7), "es") == "7 dic 2026"


def test_moments_are_by_the_institutions_clock() -> None:
    at = datetime(2026, 12, 7, 2, 30, tzinfo=UTC)
    assert moment(at, "es", "America/Lima") == "6 dic 2026, 21:30"


def test_a_run_of_days_is_written_from_to() -> None:
    assert weekdays(("mon", "tue", "wed", "thu", "fri"), "es") == "lunes a viernes"
    assert weekdays(("mon", "wed"), "es") == "lunes y miércoles"
    assert weekdays(("mon", "tue"), "en") == "Monday and Tuesday"
    assert weekdays(("mon", "tue", "thu"), "es") == "lunes, martes y jueves"
    assert weekdays(("sat",), "en") == "Saturday"


def test_clock_times_have_24_hours() -> None:
    assert clock_time(time(19, 5)) == "19:05"
