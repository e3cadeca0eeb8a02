"""Money in integer minor units."""

from dataclasses import dataclass

from crm.errors import RuleBroken

#: Digits after the point that differ from two. Source: ISO 4217, list one.
_EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF".split(), 0),
    **dict.fromkeys("UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}


def exponent_of(currency: str) -> int:
    """Return how many digits of the currency stand after the point."""
    return _EXPONENTS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency.

    Args:
        amount_minor: minor units, may be negative.
        currency: ISO 4217 code, upper case.
    """

    amount_minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        self._require_same(other)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._require_same(other)
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def _require_same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise RuleBroken("money.currency", "Amounts of different currencies do not add up.")
