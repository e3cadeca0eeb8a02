"""Facts are read alike in whatever dress they come."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.guards.facts import Fact, facts_in
from agents.runtime.guards.numbers import readings_of

MONTHS_ES = (
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
).split()
MONTHS_EN = (
    "January February March April May June July August September October November December"
).split()
WEEKDAYS_ES = "lunes martes miércoles jueves viernes sábado domingo".split()
WEEKDAYS_EN = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
cents = st.integers(min_value=1, max_value=99_999_999)


def kinds(text: str) -> list[str]:
    return [fact.kind for fact in facts_in(text)]


def only(text: str) -> Fact:
    (fact,) = facts_in(text)
    return fact


def ways_to_write(day: date) -> list[str]:
    es, en = MONTHS_ES[day.month - 1], MONTHS_EN[day.month - 1]
    return [
        day.isoformat(),
        f"{day.day} de {es} de {day.year}",
        f"{WEEKDAYS_ES[day.weekday()]}, {day.day} de {es} de {day.year}",
        f"{en} {day.day}, {day.year}",
        f"{WEEKDAYS_EN[day.weekday()]}, {en} {day.day}, {day.year}",
        f"{day.day} {en[:3]} {day.year}",
        f"{day.day:02d}/{day.month:02d}/{day.year}",
        f"{day.month}/{day.day}/{day.year}",
    ]


@given(days)
def test_date_is_the_same_in_every_format(day: date) -> None:
    for written in ways_to_write(day):
        fact = only(f"Empieza el {written}.")
        assert fact.kind == "date", written
        assert day.isoformat() in fact.values, written


@given(days)
def test_weekday_before_a_date_is_part_of_it(day: date) -> None:
    weekday = only(ways_to_write(day)[2]).unit
    assert weekday == only(ways_to_write(day)[4]).unit == str(day.weekday())


@given(cents)
def test_amount_is_the_same_in_every_format(minor: int) -> None:
    whole, part = divmod(minor, 100)
    grouped = f"{whole:,}"
    for written in (
        f"US$ {whole}.{part:02d}",
        f"USD {grouped}.{part:02d}",
        f"{grouped.replace(',', '.')},{part:02d} USD",
        f"${whole},{part:02d}",
        f"{grouped.replace(',', ' ')},{part:02d} dólares",
    ):
        fact = only(f"Cuesta {written} en total")
        assert fact.kind == "amount", written
        assert fact.values & readings_of(f"{whole}.{part:02d}"), written


@given(st.times())
def test_time_of_day_is_the_same_on_either_clock(at: time) -> None:
    half = "a. m." if at.hour < 12 else "p. m."
    twelve = at.hour % 12 or 12
    assert only(f"a las {at:%H:%M}").values == only(f"a las {twelve}:{at:%M} {half}").values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 % de descuento", ["percent"]),
        ("el diez por ciento", ["percent"]),
        ("dura 8 semanas y siete días hábiles", ["quantity", "quantity"]),
        ("nivel A1–A2 con HTML5", ["code", "code"]),
        ("escribe a hola@andino.example o llama al +1 202 555 0143", ["email", "phone"]),
        ("mira https://andino.example/x?y=1.", ["url"]),
        ("en 2027 hay 3.000 alumnos", ["number", "number"]),
        ("ticket 1043", ["number"]),
        ("El curso DAT-201 empieza pronto", ["code"]),
        ("Elige una de estas dos opciones.", []),
        ("1. Postula.\n2. Espera.", []),
        ("Según el reglamento [[kb-rules-es-12]].", []),
        ("lunes y miércoles", []),
    ],
)
def test_kind_of_each_fact(text: str, expected: list[str]) -> None:
    assert sorted(kinds(text)) == sorted(expected)


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("1.200", {"1200", "1.2"}),
        ("1,200", {"1200", "1.2"}),
        ("1.200,00", {"1200"}),
        ("1,200.50", {"1200.5"}),
        ("0.500", {"0.5"}),
        ("1.234.567", {"1234567"}),
        ("12,5", {"12.5"}),
        ("siete", {"7"}),
    ],
)
def test_figure_has_every_reading_it_may_have(written: str, values: set[str]) -> None:
    assert readings_of(written) == values


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    assert all(fact.values for fact in facts_in(text))
