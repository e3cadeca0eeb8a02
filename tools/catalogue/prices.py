"""How tools give a price: for machines and in words."""

from pydantic import BaseModel

from crm.money import Money
from tools.context import Locale
from tools.wording import money_text


class PriceOut(BaseModel):
    """An amount; quote `text` as it stands."""

    amount_minor: int
    currency: str
    text: str


def price_out(money: Money, locale: Locale) -> PriceOut:
    """Return an amount for machines and in words."""
    return PriceOut(
        amount_minor=money.amount_minor,
        currency=money.currency,
        text=money_text(money, locale),
    )
