"""Enrolments with the sandbox's own till, whose processes die at any place one likes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from api.handlers import BY_NAME
from crm.ids import new_id
from crm.journal.deliveries.service import DeliveryService
from crm.journal.idempotency import IdempotencyKey
from crm.payments.gateways.sandbox import store as sandbox
from crm.payments.gateways.sandbox import till
from crm.payments.gateways.sandbox.behaviour import Behaviour
from crm.payments.gateways.sandbox.desk import SandboxDesk
from crm.payments.gateways.sandbox.gateway import SandboxGateway
from crm.payments.gateways.sandbox.models import NAME
from crm.payments.service import PaymentService
from tests.integration.crm.workflows.conftest import House

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from api.bootstrap import Services
    from crm.clock import FixedClock
    from crm.db import Database
    from crm.journal.deliveries.models import Delivery
    from crm.payments.gateways.protocol import GatewayEvent
    from crm.payments.gateways.sandbox.models import Outcome

_WAKES = "wake_sagas"


class Killed(BaseException):
    """The process died at a named place."""


class Fuse:
    """Kills at one named place, once."""

    def __init__(self) -> None:
        self.at: str | None = None
        self.passed: set[str] = set()

    def __call__(self, name: str) -> None:
        self.passed.add(name)
        if name == self.at:
            self.at = None
            raise Killed(name)


class Market(House):
    """People enrol and pay, or do not, through the sandbox; its events lie there to be told."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.fuse = Fuse()
        super().__init__(database, clock, gateway=NAME, reach=self.fuse)
        gateway = SandboxGateway(database, secret=bytes(32), base_url="http://127.0.0.1")
        self.desk = SandboxDesk(database)
        self.service = PaymentService(database, {NAME: gateway}, chosen=NAME)
        self.deliveries = DeliveryService(database)

    def key(self, act: str) -> IdempotencyKey:
        """A key of its own for something staff do."""
        return IdempotencyKey("test", f"{act}:{new_id()}", self.advisor.subject_id)

    async def behave(self, **how: Any) -> None:
        """Let the gateway behave, or misbehave, from now on."""
        async with self.database.transaction() as uow:
            await sandbox.upsert_behaviour(uow.conn, sandbox.EVERYTHING, Behaviour(**how))

    async def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """What a query finds."""
        async with self.database.read() as conn:
            found = await conn.execute(sql, list(values))  # type: ignore[arg-type]
            return await found.fetchall()

    async def decide(self, checkout_id: str, outcome: Outcome) -> None:
        """Let the payer choose on the gateway's page."""
        await self.desk.decide(checkout_id, outcome)

    async def pass_time_at_the_gateway(self) -> None:
        """Let checkouts expire and pending refunds end."""
        async with self.database.transaction() as uow:
            await till.expire_due(uow, 500)
            await till.settle_due(uow, 500)

    async def told(self, event_ids: Sequence[str]) -> list[GatewayEvent]:
        """Read what happened at the gateway."""
        async with self.database.read() as conn:
            found = [await sandbox.select_event(conn, event_id) for event_id in event_ids]
        return [event.as_event() for event in found if event]

    async def relay(self) -> None:
        """Give our own events to the handler that wakes sagas, as the workers do."""
        wakes = dict.fromkeys(BY_NAME[_WAKES].events, (_WAKES,))
        while await self.deliveries.distribute(wakes, limit=500):
            pass
        while await self.deliveries.run_due(self._wake, (_WAKES,), limit=500):
            pass

    async def _wake(self, delivery: Delivery) -> None:
        services = cast("Services", SimpleNamespace(workflows=self.workflows))
        await BY_NAME[delivery.handler].run(services, delivery.event)

    async def events_of(self, cohort_id: UUID) -> list[str]:
        """Return the names of all that happened at the gateway for a cohort, the first first."""
        found = await self.rows(
            """
            SELECT e.event_id FROM sandbox_events e JOIN sandbox_checkouts c ON c.id = e.checkout_id
                JOIN payments p ON p.id = c.payment_id JOIN sagas s ON s.invoice_id = p.invoice_id
            WHERE s.cohort_id = %s AND s.kind = 'enrolment' ORDER BY e.ordinal
            """,
            cohort_id,
        )
        return [row["event_id"] for row in found]
