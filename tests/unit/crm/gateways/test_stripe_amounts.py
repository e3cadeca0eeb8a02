"""Amounts reach Stripe in its units, exactly or not at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.money import Money, exponent_of
from crm.payments.gateways.protocol import GatewayRefused
from crm.payments.gateways.stripe.amounts import from_stripe, to_stripe

CURRENCIES = st.sampled_from(
    "USD PEN EUR CLP JPY PYG KRW VND KWD BHD TND JOD OMR ISK UGX HUF TWD XAF".split()
)


@settings(derandomize=True, max_examples=400)
@given(st.integers(1, 10**9), CURRENCIES)
def test_amount_comes_back_as_it_went(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    try:
        units = to_stripe(amount)
    except GatewayRefused:
        return
    assert from_stripe(units, currency.lower()) == amount


@pytest.mark.parametrize(
    ("major", "currency", "units"),
    [(10, "USD", 1000), (500, "JPY", 500), (500, "CLP", 500), (5, "ISK", 500), (5, "UGX", 500)],
)
def test_units_are_those_of_the_documentation(major: int, currency: str, units: int) -> None:
    assert to_stripe(Money(major * 10 ** exponent_of(currency), currency)) == units


def test_third_decimal_must_be_zero() -> None:
    assert to_stripe(Money(5_120, "KWD")) == 5_120
    with pytest.raises(GatewayRefused):
        to_stripe(Money(5_124, "KWD"))


@pytest.mark.parametrize("minor", [0, -5])
def test_nothing_and_less_cannot_be_paid(minor: int) -> None:
    with pytest.raises(GatewayRefused):
        to_stripe(Money(minor, "USD"))
