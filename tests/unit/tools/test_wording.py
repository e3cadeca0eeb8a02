"""Amounts, dates and schedules in words."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.courses.models import Schedule
from crm.money import Money
from tools.catalogue.tickets import OpenTicket, summarise_ticket
from tools.wording import date_text, instant_text, modality_text, money_text, schedule_text


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(8_900, "USD"), "USD 89.00"),
        (Money(129_905, "PEN"), "PEN 1,299.05"),
        (Money(129_900, "CLP"), "CLP 129,900"),
        (Money(1_500, "KWD"), "KWD 1.500"),
        (Money(0, "USD"), "USD 0.00"),
        (Money(-50, "USD"), "USD -0.50"),
    ],
)
def test_amount_has_its_currency_and_digits_in_both_languages(money: Money, text: str) -> None:
    assert money_text(money, "es") == money_text(money, "en") == text


@given(amount=st.integers(-(10**12), 10**12), currency=st.sampled_from(["USD", "CLP", "KWD"]))
def test_amount_in_words_is_the_amount(amount: int, currency: str) -> None:
    written = money_text(Money(amount, currency), "es").removeprefix(f"{currency} ")
    assert int(written.replace(",", "").replace(".", "")) == amount


def test_dates_name_weekday_and_year() -> None:
    assert date_text(date(2026, 12, 7), "es") == "lunes, 7 de diciembre de 2026"
    assert date_text(date(2026, 12, 7), "en") == "Monday, December 7, 2026"


def test_instant_falls_on_the_institutions_day() -> None:
    late = datetime(2026, 12, 8, 3, 0, tzinfo=UTC)
    assert instant_text(late, "en", time_zone="America/Lima") == "Monday, December 7, 2026"
    assert instant_text(late, "en", time_zone="UTC") == "Tuesday, December 8, 2026"


def test_schedule_names_days_and_hours() -> None:
    schedule = Schedule(("mon", "wed", "sat"), time(7), time(9, 30))
    assert schedule_text(schedule, "es") == "lunes, miércoles y sábado, 07:00–09:30"
    assert schedule_text(schedule, "en") == "Monday, Wednesday, and Saturday, 07:00–09:30"
    assert schedule_text(Schedule(("sat",), time(9), time(13)), "es") == "sábado, 09:00–13:00"


def test_modality_is_translated() -> None:
    assert modality_text("onsite", "es") == "presencial"
    assert modality_text("hybrid", "en") == "hybrid"


def test_long_description_is_shortened_in_the_summary() -> None:
    args = OpenTicket(category="other", title="Duda", description="palabra " * 100)
    summary = summarise_ticket(args, "es")
    assert summary.startswith("Abrir un ticket de soporte (Otros): «Duda». palabra palabra")
    assert summary.endswith("…")
    assert len(summary) < 320
