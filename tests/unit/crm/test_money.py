"""Money keeps currencies apart and knows how many digits each has."""

import pytest

from crm.errors import RuleBroken
from crm.money import Money, exponent_of


@pytest.mark.parametrize(
    ("currencies", "digits"),
    [
        ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0),
        ("USD EUR PEN MXN COP ARS BRL UYU BOB CRC", 2),
        ("BHD IQD JOD KWD LYD OMR TND", 3),
        ("CLF UYW", 4),
    ],
)
def test_digits_after_the_point_follow_iso_4217(currencies: str, digits: int) -> None:
    assert {exponent_of(currency) for currency in currencies.split()} == {digits}


def test_amounts_of_different_currencies_do_not_add_up() -> None:
    assert Money(5, "USD") - Money(7, "USD") == Money(-2, "USD")
    with pytest.raises(RuleBroken, match=r"money\.currency"):
        Money(5, "USD") + Money(5, "PEN")
