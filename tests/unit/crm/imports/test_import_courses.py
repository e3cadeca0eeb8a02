"""What a line about a course says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.imports.courses.rows import read_course, read_price
from crm.money import Money, exponent_of

LINE = {
    "code": "PRG-900",
    "area": "prg",
    "title_es": "Rust desde cero",
    "summary_es": "Primeros programas.",
    "keywords": "rust | sistemas",
    "hours": "40",
    "weeks": "10",
    "price": "149,50",
    "currency": "usd",
}


def test_line_becomes_a_course() -> None:
    course = read_course(LINE)
    assert (course.area, course.title.en, course.level) == ("PRG", "Rust desde cero", "intro")
    assert course.price == Money(14950, "USD")
    assert course.keywords == ("rust", "sistemas")
    assert (course.hours_per_week, course.certificate, course.active) == (4, True, True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"level": "experto"}, "course.level"),
        ({"hours": "muchas"}, "course.number"),
        ({"weeks": "0"}, "course.number"),
        ({"price": "gratis"}, "course.price"),
        ({"price": "1.005"}, "course.price"),
        ({"price": "-1"}, "course.price"),
        ({"price": "NaN"}, "course.price"),
        ({"price": "1e99"}, "course.price"),
        ({"currency": "dollars"}, "course.price"),
        ({"certificate": "quizás"}, "course.flag"),
        ({"code": "a b"}, "course.code"),
        ({"title_es": ""}, "course.text"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, str], code: str) -> None:
    with pytest.raises(RuleBroken) as refusal:
        read_course(LINE | change)
    assert refusal.value.code == code


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.integers(0, 10**12), st.sampled_from(["USD", "PEN", "CLP", "KWD"]), st.sampled_from(".,"))
def test_prices_survive_being_written(minor: int, currency: str, point: str) -> None:
    digits = exponent_of(currency)
    text = str(minor).rjust(digits + 1, "0")
    written = f"{text[:-digits]}{point}{text[-digits:]}" if digits else text
    assert read_price(written, currency) == Money(minor, currency)
