"""What requests and answers are made of, whatever they are about."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from crm.money import Money

#: Above any fee; below what a bigint holds even when many are summed up.
MAX_MINOR = 10**13


class Body(BaseModel):
    """What is sent: nothing that is not asked for."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """What an answer is made of; reads the domain's objects."""

    model_config = ConfigDict(from_attributes=True)


class MoneyOut(Out):
    """An amount in the currency's minor units, e.g. cents."""

    amount_minor: int
    currency: str


class MoneyIn(Body):
    """An amount in the currency's minor units, e.g. cents."""

    amount_minor: Annotated[int, Field(ge=0, le=MAX_MINOR, strict=True)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217")]

    @property
    def money(self) -> Money:
        """Return it as the domain reckons."""
        return Money(self.amount_minor, self.currency)
