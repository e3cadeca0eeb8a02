"""A course with few seats, people who enrol, and a gateway that does as it is told."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from crm.actor import SERVICE_ACTOR
from crm.courses.models import Cohort
from crm.courses.seats.models import SeatPolicy
from crm.courses.seats.service import SeatService
from crm.courses.service import CourseService
from crm.db import Database, Pool
from crm.ids import PersonId, new_id
from crm.journal.vault import Vault
from crm.money import Money
from crm.payments import store as payments
from crm.payments.gateways.protocol import RefundResult
from crm.payments.models import Payment
from crm.workflows import store
from crm.workflows.crash_points import Reach, inert
from crm.workflows.enrolment.models import StartEnrolment
from crm.workflows.models import Saga
from crm.workflows.service import WorkflowService
from crm.workflows.terms import Terms
from tests.integration.crm.courses.conftest import PYTHON, Catalogue
from tests.integration.crm.payments.conftest import NAME, Till

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from crm.clock import FixedClock


class House(Till):
    """Enrols people through sagas, with everything that moves them on."""

    def __init__(
        self,
        database: Database,
        clock: FixedClock,
        *,
        gateway: str = NAME,
        reach: Reach = inert,
    ) -> None:
        super().__init__(database, clock)
        self.gateway.refund_result = RefundResult("re_1", "done")
        self.seats = SeatPolicy()
        terms = Terms(seats=self.seats, gateway=gateway, institution="Instituto Andino")
        self.workflows = WorkflowService(database, terms, reach=reach)
        self.holds = SeatService(database, self.seats)
        self.courses = CourseService(database, time_zone="America/Lima")
        self.catalogue = Catalogue(database, self.courses)

    async def new_person(self) -> PersonId:
        """Add somebody with an address."""
        person_id = await super().new_person()
        await self.execute(
            "UPDATE people SET email = %s WHERE id = %s",
            *(f"{person_id}@example.com", person_id),
        )
        return person_id

    async def cohort(self, *, seats: int = 2, price: int = 30_000, **facts: Any) -> Cohort:
        """Open a cohort."""
        code = f"PRG-{new_id().hex[-10:].upper()}"
        return await self.catalogue.open_cohort(
            code=code, seats=seats, price=Money(price, "USD"), **facts
        )

    async def start(self, cohort: Cohort, **more: Any) -> Saga:
        """Start to enrol somebody."""
        person = more.pop("person_id", None) or await self.new_person()
        command = StartEnrolment(person_id=person, cohort_id=cohort.id, **more)
        return await self.workflows.start_enrolment(command, actor=self.advisor)

    async def saga(self, saga: Saga) -> Saga:
        """Return a saga as it is now."""
        async with self.database.read() as conn:
            now = await store.select_saga(conn, saga.id, owner=None)
        assert now is not None
        return now

    async def payments_of(self, saga: Saga) -> list[Payment]:
        """Return what was asked for."""
        invoice = (await self.saga(saga)).invoice_id
        if invoice is None:
            return []
        async with self.database.read() as conn:
            return await payments.select_payments_of(conn, invoice)

    async def pay(self, saga: Saga, *, event_id: str = "paid") -> None:
        """Let the payer pay the latest payment."""
        payment = (await self.payments_of(saga))[-1]
        name = f"{event_id}:{payment.id}"
        await self.tell(payment, "completed", payment.amount.amount_minor, event_id=name)

    async def settle(self) -> None:
        """Let everything that is due happen, as the handlers and the clock would."""
        for _ in range(6):
            await self.service.run_due()
            await self.holds.expire_due()
            await self.execute(
                "UPDATE sagas SET next_run_at = %s WHERE parked_at IS NULL", self.clock.now()
            )
            await self.workflows.advance_due(500)

    async def forget(self) -> None:
        """Let what other tests began rest, so that looking at it costs nothing."""
        await self.execute("UPDATE sagas SET parked_at = created_at WHERE parked_at IS NULL")

    async def is_whole(self, saga: Saga, cohort: Cohort, *, seats: int = 2) -> Saga:
        """The saga ended enrolled and paid, or undone; told once; the books agree."""
        saga = await self.saga(saga)
        assert saga.parked_at is None, saga.last_error
        enrolled = await self.count(
            "SELECT count(*) FROM enrolments WHERE hold_id = %s AND status = 'confirmed'",
            saga.hold_id,
        )
        made = await self.payments_of(saga)
        kept = sum(p.settled.amount_minor for p in made)
        if saga.status == "completed":
            assert enrolled == 1
        else:
            assert saga.status == "compensated", saga
            assert (enrolled, kept) == (0, 0)
        live = await self.count(
            "SELECT count(*) FROM seat_holds WHERE id = %s AND status = 'live'", saga.hold_id
        )
        assert live == 0
        assert sum((await self.balances()).values()) == 0
        notices = await self.count(
            "SELECT count(*) FROM outbound_messages WHERE effect_key LIKE %s", f"saga:{saga.id}:%"
        )
        assert notices == 1
        found = await self.courses.get_cohort(cohort.id)
        assert found.seats_held == 0
        return saga

    async def steps(self, saga: Saga) -> Counter[str]:
        """Count the steps a saga took."""
        async with self.database.read() as conn:
            found = await store.select_steps(conn, saga.id)
        return Counter(step.step for step in found if step.outcome == "done")

    async def furnish(self) -> None:
        """Offer a course."""
        await self.execute(
            "INSERT INTO areas VALUES ('PRG', 'Programación', 'Code') ON CONFLICT DO NOTHING"
        )
        await self.courses.upsert_course(PYTHON, actor=SERVICE_ACTOR)


@pytest.fixture
def database(pool: Pool, clock: FixedClock) -> Database:
    return Database(pool, clock, Vault(bytes(32)))


@pytest.fixture
async def house(database: Database, clock: FixedClock) -> AsyncIterator[House]:
    house = House(database, clock)
    await house.furnish()
    yield house
    await house.forget()


LATE = timedelta(hours=2)
