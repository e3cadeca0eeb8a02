"""Turns amounts into Stripe's units and back: pure rules.

Source: Stripe's documentation of supported currencies, "zero-decimal", "three-decimal" and
"special cases".
"""

from crm.errors import RuleBroken
from crm.money import Money, exponent_of
from crm.payments.gateways.protocol import GatewayRefused

_ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
_THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())
#: Given in hundredths, and yet only whole ones are taken.
_WHOLE_IN_HUNDREDTHS = frozenset({"ISK", "UGX"})


def to_stripe(amount: Money) -> int:
    """Return an amount in the units that Stripe counts the currency in.

    Raises: GatewayRefused("gateway.amount"): Stripe cannot take exactly this amount.
    """
    shift = _exponent(amount.currency) - exponent_of(amount.currency)
    units, rest = _shifted(amount.amount_minor, shift)
    if rest or units % _step(amount.currency) or units <= 0:
        raise GatewayRefused("gateway.amount", "Stripe cannot take exactly this amount.")
    return units


def from_stripe(units: int, currency: str) -> Money:
    """Return what an amount of Stripe's is in our minor units.

    Args:
        currency: as Stripe writes it, lower case.
    Raises: RuleBroken("gateway.amount"): it is no whole number of our minor units.
    """
    code = currency.upper()
    minor, rest = _shifted(units, exponent_of(code) - _exponent(code))
    if rest:
        raise RuleBroken("gateway.amount", "Stripe names an amount that we cannot write down.")
    return Money(minor, code)


def _exponent(currency: str) -> int:
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def _step(currency: str) -> int:
    if currency in _THREE_DECIMAL:
        return 10
    return 100 if currency in _WHOLE_IN_HUNDREDTHS else 1


def _shifted(number: int, places: int) -> tuple[int, int]:
    scale = pow(10, abs(places))
    return (number * scale, 0) if places >= 0 else divmod(number, scale)
