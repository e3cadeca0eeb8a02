"""The sandbox gateway on a real database."""

import itertools
from datetime import timedelta

import pytest

from crm.clock import FixedClock
from crm.db import Database, Pool
from crm.ids import new_id
from crm.journal.vault import Vault
from crm.money import Money
from crm.payments.gateways.protocol import CheckoutOrder, RefundOrder
from crm.payments.gateways.sandbox.desk import SandboxDesk
from crm.payments.gateways.sandbox.gateway import SandboxGateway
from tests.integration.crm.conftest import NOW
from tests.rows import Rows

SECRET = b"a secret of the sandbox, 32 bytes"
PRICE = Money(1_890_00, "USD")


class Till(Rows):
    """A sandbox, its counter and a clock of its own."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database = database
        self.clock = clock
        self.gateway = SandboxGateway(database, secret=SECRET, base_url="http://andino.example")
        self.desk = SandboxDesk(database)
        self._numbers = itertools.count(1)

    def order(self, amount: Money = PRICE) -> CheckoutOrder:
        """Make an order of a new payment."""
        return CheckoutOrder(
            payment_id=new_id(),
            amount=amount,
            description="Python para datos",
            locale="es",
            return_url="https://andino.example/me",
            expires_at=self.clock.now() + timedelta(minutes=30),
        )

    async def paid(self, amount: Money = PRICE) -> tuple[CheckoutOrder, str]:
        """Have a payment paid, and return its order and checkout."""
        order = self.order(amount)
        checkout = await self.gateway.create_checkout(order)
        await self.desk.decide(checkout.gateway_ref, "pay")
        return order, checkout.gateway_ref

    def refund_of(self, order: CheckoutOrder, gateway_ref: str, minor: int) -> RefundOrder:
        """Make an order to give a part back."""
        return RefundOrder(
            refund_id=new_id(),
            payment_id=order.payment_id,
            gateway_ref=gateway_ref,
            amount=Money(minor, order.amount.currency),
            reason="withdrawal",
        )

    async def kinds(self, gateway_ref: str) -> list[str]:
        """Return what happened to a checkout, in order."""
        return [event.kind for event in await self.gateway.fetch(gateway_ref)]


@pytest.fixture
def till(pool: Pool) -> Till:
    clock = FixedClock(NOW)
    return Till(Database(pool, clock, Vault(bytes(32))), clock)
