"""Fees, payers and a gateway that does as it is told, on a real database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel, Role
from crm.db import Database, Pool
from crm.ids import PersonId, StaffId, SubjectId, new_id
from crm.journal.vault import Vault
from crm.money import Money
from crm.payments import acts, store
from crm.payments.gateways.protocol import (
    Checkout,
    CheckoutOrder,
    GatewayEvent,
    Movement,
    RefundOrder,
    RefundResult,
)
from crm.payments.ledger import store as ledger
from crm.payments.models import Payment, PaymentId
from crm.payments.service import PaymentService
from tests.rows import Rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import date, datetime

    from crm.clock import FixedClock
    from crm.payments.invoices.models import Invoice

NAME = "pretend"


class PretendGateway:
    """Remembers what it was asked, and fails when told to."""

    name = NAME

    def __init__(self) -> None:
        self.orders: list[CheckoutOrder] = []
        self.refunds: list[RefundOrder] = []
        self.cancelled: list[Any] = []
        self.fetched: list[str] = []
        self.failure: Exception | None = None
        self.paid = False
        self.refund_result = RefundResult("re_1", "pending")
        self.known: dict[str, tuple[GatewayEvent, ...]] = {}
        self.movements: list[Movement] = []
        self.during: Callable[[], Any] | None = None

    async def _obey(self) -> None:
        if self.during is not None:
            await self.during()
        if self.failure is not None:
            raise self.failure

    async def create_checkout(self, order: CheckoutOrder) -> Checkout:
        self.orders.append(order)
        await self._obey()
        reference = f"co_{order.payment_id}"
        return Checkout(reference, f"https://pay.example/{reference}", order.expires_at)

    async def cancel_checkout(self, payment_id: Any, gateway_ref: str) -> Any:
        self.cancelled.append(payment_id)
        await self._obey()
        return "paid" if self.paid else "cancelled"

    async def refund(self, order: RefundOrder) -> RefundResult:
        self.refunds.append(order)
        await self._obey()
        return self.refund_result

    async def fetch(self, gateway_ref: str) -> tuple[GatewayEvent, ...]:
        self.fetched.append(gateway_ref)
        await self._obey()
        return self.known.get(gateway_ref, ())

    async def read_webhook(self, headers: Any, body: bytes, *, now: Any) -> Any:
        raise NotImplementedError

    async def list_movements(self, *, since: datetime, until: datetime) -> AsyncIterator[Movement]:
        for movement in self.movements:
            yield movement


class Till(Rows):
    """Raises invoices, takes payments, and looks into the books."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database = database
        self.clock = clock
        self.gateway = PretendGateway()
        self.service = PaymentService(database, {NAME: self.gateway}, chosen=NAME)
        staff_id = StaffId(new_id())
        self.advisor = Actor(
            SubjectId(staff_id), IdentityLevel.VERIFIED, staff_id=staff_id, role=Role.ADVISOR
        )

    async def new_person(self) -> PersonId:
        """Add somebody."""
        person_id = PersonId(new_id())
        await self.execute(
            "INSERT INTO people (id, full_name, locale, time_zone, status, created_at, "
            "updated_at) VALUES (%s, 'Ana', 'es', 'America/Lima', 'active', %s, %s)",
            *(person_id, self.clock.now(), self.clock.now()),
        )
        return person_id

    def due(self, *days: int) -> list[date]:
        """Days from today."""
        return [(self.clock.now() + timedelta(days=n)).date() for n in days]

    async def invoice(
        self, amount: int = 30_000, *days: int, currency: str = "PEN", **facts: Any
    ) -> Invoice:
        """Raise an invoice, due on these days from today."""
        facts.setdefault("person_id", await self.new_person())
        facts.setdefault("reference", f"test:{new_id()}")
        facts.setdefault("actor", SERVICE_ACTOR)
        net, due_dates = Money(amount, currency), self.due(*(days or (7,)))
        async with self.database.transaction() as uow:
            return await acts.raise_invoice(uow, net=net, due_dates=due_dates, **facts)

    async def begin(self, invoice: Invoice, amount: int | None = None, **facts: Any) -> Payment:
        """Begin a payment of an invoice."""
        facts.setdefault("effect_key", str(new_id()))
        facts.setdefault("gateway", NAME)
        facts.setdefault("actor", SERVICE_ACTOR)
        net = invoice.net if amount is None else Money(amount, invoice.net.currency)
        async with self.database.transaction() as uow:
            return await acts.initiate_payment(uow, invoice_id=invoice.id, amount=net, **facts)

    async def opened(self, invoice: Invoice, amount: int | None = None) -> Payment:
        """Begin a payment and open its checkout."""
        payment = await self.begin(invoice, amount)
        await self.service.run_due()
        return await self.payment(payment.id)

    async def paid(self, amount: int = 30_000) -> Payment:
        """Have an invoice paid."""
        payment = await self.opened(await self.invoice(amount))
        await self.tell(payment, "completed", amount)
        return await self.payment(payment.id)

    def event(
        self, payment: Payment, kind: Any, amount: int | None = None, **facts: Any
    ) -> GatewayEvent:
        """Something that happened at the gateway."""
        facts.setdefault("event_id", str(new_id()))
        return GatewayEvent(
            gateway=NAME,
            kind=kind,
            payment_id=payment.id,
            gateway_ref=f"co_{payment.id}",
            amount=None if amount is None else Money(amount, payment.amount.currency),
            occurred_at=self.clock.now(),
            **facts,
        )

    async def tell(
        self, payment: Payment, kind: str, amount: int | None = None, **facts: Any
    ) -> bool:
        """Report something."""
        return await self.service.receive(self.event(payment, kind, amount, **facts))

    async def refund(self, payment: Payment, amount: int, **facts: Any) -> Any:
        """Ask for money to go back."""
        facts.setdefault("effect_key", str(new_id()))
        money = Money(amount, payment.amount.currency)
        async with self.database.transaction() as uow:
            return await acts.request_refund(
                uow,
                payment_id=payment.id,
                amount=money,
                reason="withdrawal",
                actor=SERVICE_ACTOR,
                **facts,
            )

    async def cancel(self, invoice: Invoice) -> Invoice:
        """Cancel an invoice."""
        async with self.database.transaction() as uow:
            return await acts.cancel_invoice(
                uow, invoice.id, reason="withdrawn", actor=SERVICE_ACTOR
            )

    async def void(self, payment: Payment) -> Payment:
        """Void a payment."""
        async with self.database.transaction() as uow:
            return await acts.void_payment(uow, payment.id, actor=SERVICE_ACTOR)

    async def payment(self, payment_id: PaymentId) -> Payment:
        """Return a payment as it is now."""
        async with self.database.read() as conn:
            payment = await store.select_payment(conn, payment_id, owner=None)
        assert payment is not None
        return payment

    async def seen(self, invoice: Invoice) -> Invoice:
        """Return an invoice as it is now."""
        return (await self.service.get_invoice(invoice.id, actor=SERVICE_ACTOR)).invoice

    async def balances(self) -> dict[str, int]:
        """Return what stands on every account."""
        async with self.database.read() as conn:
            return await ledger.select_balances(conn)

    async def owed(self, invoice: Invoice) -> int:
        """Return what the ledger says that the debtor owes."""
        code = f"receivable:{invoice.debtor_id}:{invoice.net.currency}"
        return (await self.balances()).get(code, 0)

    async def published(self, name: str, payment_id: Any) -> int:
        """Count the events of a name about a payment or an invoice."""
        return await self.count(
            "SELECT count(*) FROM outbox WHERE name = %s "
            "AND %s IN (payload ->> 'payment_id', payload ->> 'invoice_id')",
            *(name, str(payment_id)),
        )


@pytest.fixture
def till(pool: Pool, clock: FixedClock) -> Till:
    return Till(Database(pool, clock, Vault(bytes(32))), clock)
