"""What requests and answers are made of, whatever they are about."""

from pydantic import BaseModel, ConfigDict


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
