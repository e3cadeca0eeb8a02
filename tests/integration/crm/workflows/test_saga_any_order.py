"""Whatever happens to enrolments, and wherever processes die meanwhile: all end whole, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crm.errors import OrientaError
from crm.money import Money
from crm.payments.intents.models import FIRST_POLL
from crm.workflows.enrolment.models import GRACE, StartEnrolment
from crm.workflows.withdrawal.models import StartWithdrawal
from tests.dying import outlive
from tests.integration.crm.workflows.market import Killed, Market
from tests.integration.crm.workflows.standing import (
    AT_THE_END,
    BOOKS,
    CHECKOUTS,
    NEVER,
    NOTICES,
    PAYMENTS,
    SAGAS,
    SEATS,
    STEPS_TAKEN,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from crm.clock import FixedClock
    from crm.db import Database

T = TypeVar("T")

#: What the rules may say to anything tried here; anything else is a fault.
REFUSALS = {
    "cohort.full",
    "enrolment.ended",
    "refund.exceeds",
    "refund.none",
    "payment.pending",
    "saga.over",
    "saga.active",
}
#: What may need somebody; a seat that went to another turns a saga back and is no failure.
FAILURES = {"refund.failed"}
STEPS = (
    *("bill", "confirm", "record", "tell"),
    *("cancel_invoice", "refund", "cancel_quote", "withdraw", "release", "tell_undone"),
)
CRASH_POINTS = [f"{step}.{when}" for step in STEPS for when in ("begun", "done", "committed")]
#: Where a process that enrols somebody who paid may die.
MIDWAY = [point for point in CRASH_POINTS if point.startswith(("confirm", "record", "tell."))]
#: A step that is taken again when money comes late or does not get there.
AGAIN = {"refund", "refund_excess"}
#: The await at which a process dies; most of the time it lives.
_deaths = st.one_of(st.just(0), st.just(0), st.integers(1, 150))
_behaviours = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 50),
        "refuse_percent": st.sampled_from([0, 0, 60]),
        "lose_percent": st.sampled_from([0, 0, 60]),
        "refunds": st.sampled_from(["done", "done", "pending_done", "pending_failed", "failed"]),
    }
)


class Sagas(RuleBasedStateMachine):
    """A cohort with few seats, people who want in and out, and processes that die.

    The machine runs in a thread of its own, the database's work in the tests' loop.
    """

    market: Market
    loop: asyncio.AbstractEventLoop

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def attempt(self, work: Coroutine[Any, Any, T], at: int = 0) -> T | None:
        """Do it in a process that may die, or be refused by a rule."""
        try:
            return self.call(outlive(work, at))
        except OrientaError as refused:
            if refused.code not in REFUSALS:
                raise
        except Killed:
            pass
        return None

    @initialize(
        seats=st.integers(1, 3),
        price=st.sampled_from([0, 30_000, 30_001]),
        behaviour=_behaviours,
    )
    def open(self, seats: int, price: int, behaviour: dict[str, Any]) -> None:
        """Start where it matters: two have begun and one of them has come to the till."""
        market = self.market
        far_off = market.clock.now().date() + timedelta(days=1_000)
        self.seats = seats
        self.cohort = self.call(market.cohort(seats=seats, price=price, starts_on=far_off))
        self.starts: list[tuple[StartEnrolment, Any]] = []
        self.leaves: list[tuple[StartWithdrawal, Any]] = []
        market.fuse.at = None
        self.enrol(1, 0)
        self.ask_gateway(0)
        self.enrol(2, 0)
        self.call(market.behave(**behaviour))

    # --- people -----------------------------------------------------------------------------------

    @rule(instalments=st.integers(1, 3), at=_deaths)
    def enrol(self, instalments: int, at: int) -> None:
        person = self.call(self.market.new_person())
        command = StartEnrolment(
            person_id=person, cohort_id=self.cohort.id, instalments=instalments
        )
        self.starts.append((command, self.market.key("start")))
        self.start(*self.starts[-1], at)

    @precondition(lambda self: self.starts)
    @rule(data=st.data(), at=_deaths)
    def enrol_again_with_the_same_key(self, data: st.DataObject, at: int) -> None:
        self.start(*data.draw(st.sampled_from(self.starts)), at)

    def start(self, command: StartEnrolment, key: Any, at: int) -> None:
        starting = self.market.workflows.start_enrolment(
            command, actor=self.market.advisor, idempotency=key
        )
        self.attempt(starting, at)

    @rule(data=st.data(), outcome=st.sampled_from(["pay", "pay", "pay", "decline"]))
    def choose(self, data: st.DataObject, outcome: Any) -> None:
        """Somebody pays, or is refused; once the checkout has expired nothing happens."""
        if checkouts := self.rows(CHECKOUTS):
            self.call(self.market.decide(data.draw(st.sampled_from(checkouts))["id"], outcome))

    @rule(data=st.data(), at=_deaths)
    def regret(self, data: st.DataObject, at: int) -> None:
        if (saga := self.any_saga(data)) is not None:
            self.attempt(self.market.workflows.cancel(saga["id"], actor=self.market.advisor), at)

    @rule(data=st.data(), point=st.sampled_from(MIDWAY))
    def regret_midway(self, data: st.DataObject, point: str) -> None:
        """Somebody pays, the process that enrols them dies, and they change their mind."""
        if chosen := self.any_open_checkout(data):
            self.call(self.market.decide(chosen["id"], "pay"))
            self.call(self.tell_all())
            self.advance_until_killed(point)
            self.attempt(self.market.workflows.cancel(chosen["saga"], actor=self.market.advisor))

    @rule(data=st.data(), limit=st.integers(0, 6))
    def pay_what_is_being_cancelled(self, data: st.DataObject, limit: int) -> None:
        """Somebody pays before the gateway hears that nothing is expected any more."""
        if chosen := self.any_open_checkout(data):
            self.attempt(self.market.workflows.cancel(chosen["saga"], actor=self.market.advisor))
            self.attempt(self.market.workflows.advance_due(limit))
            self.call(self.market.decide(chosen["id"], "pay"))

    @rule(data=st.data())
    def pay_for_a_seat_that_goes_to_another(self, data: st.DataObject) -> None:
        """Somebody pays in time, which is heard of when others have the seats."""
        if chosen := self.any_open_checkout(data):
            self.call(self.market.decide(chosen["id"], "pay"))
            self.market.clock.advance(self.market.seats.hold_life)
            self.call(self.market.holds.expire_due())
            for _ in range(self.seats):
                self.enrol(1, 0)
            self.call(self.tell_all())
            self.attempt(self.market.workflows.advance_due(50))

    def any_open_checkout(self, data: st.DataObject) -> dict[str, Any] | None:
        checkouts = [row for row in self.rows(CHECKOUTS) if row["status"] == "open"]
        return data.draw(st.sampled_from(checkouts)) if checkouts else None

    async def tell_all(self) -> None:
        for event in await self.market.told(await self.market.events_of(self.cohort.id)):
            await self.market.service.receive(event)
        await self.market.relay()

    @rule(data=st.data(), part=st.sampled_from(["policy", 0, 10_000]), at=_deaths)
    def leave(self, data: st.DataObject, part: Any, at: int) -> None:
        enrolled = [row["enrolment_id"] for row in self.sagas() if row["enrolment_id"]]
        if not enrolled:
            return
        command = StartWithdrawal(
            enrolment_id=data.draw(st.sampled_from(enrolled)),
            reason="Se muda",
            refund=part if part == "policy" else Money(part, "USD"),
        )
        self.leaves.append((command, self.market.key("leave")))
        self.withdraw(*self.leaves[-1], at)

    @precondition(lambda self: self.leaves)
    @rule(data=st.data())
    def leave_again_with_the_same_key(self, data: st.DataObject) -> None:
        self.withdraw(*data.draw(st.sampled_from(self.leaves)), 0)

    def withdraw(self, command: StartWithdrawal, key: Any, at: int) -> None:
        leaving = self.market.workflows.start_withdrawal(
            command, actor=self.market.advisor, idempotency=key
        )
        self.attempt(leaving, at)

    @rule(data=st.data(), amount=st.sampled_from([1, 10_000, 30_000]), at=_deaths)
    def refund(self, data: st.DataObject, amount: int, at: int) -> None:
        """Staff give something back, out of goodwill."""
        if paid := self.rows(PAYMENTS):
            payment = data.draw(st.sampled_from([row["id"] for row in paid]))
            giving = self.market.service.request_refund(
                payment, Money(amount, "USD"), reason="goodwill", actor=self.market.advisor
            )
            self.attempt(giving, at)

    # --- the gateway ------------------------------------------------------------------------------

    @rule(behaviour=_behaviours)
    def misbehave(self, behaviour: dict[str, Any]) -> None:
        self.call(self.market.behave(**behaviour))

    @rule(data=st.data(), at=_deaths)
    def tell(self, data: st.DataObject, at: int) -> None:
        """Some webhooks arrive, in any order, some of them again; the rest may be lost."""
        if happened := self.call(self.market.events_of(self.cohort.id)):
            chosen = data.draw(st.lists(st.sampled_from(happened), min_size=1, max_size=6))
            for event in self.call(self.market.told(chosen)):
                self.attempt(self.market.service.receive(event), at)

    @rule(at=_deaths)
    def poll(self, at: int) -> None:
        self.market.clock.advance(FIRST_POLL)
        self.attempt(self.market.service.poll_due(), at)

    @rule(minutes=st.sampled_from([1, 10, 30]))
    def wait(self, minutes: int) -> None:
        """Holds and checkouts may expire."""
        self.market.clock.advance(timedelta(minutes=minutes))
        self.call(self.market.pass_time_at_the_gateway())

    # --- our workers ------------------------------------------------------------------------------

    @rule(at=_deaths)
    def ask_gateway(self, at: int) -> None:
        self.market.clock.advance(timedelta(seconds=10))
        self.attempt(self.market.service.run_due(), at)

    @rule(at=_deaths)
    def expire(self, at: int) -> None:
        self.attempt(self.market.holds.expire_due(), at)

    @rule(at=_deaths)
    def relay(self, at: int) -> None:
        self.attempt(self.market.relay(), at)

    @rule(limit=st.integers(1, 5), at=_deaths)
    def advance(self, limit: int, at: int) -> None:
        self.attempt(self.market.workflows.advance_due(limit), at)

    @rule(point=st.sampled_from(CRASH_POINTS))
    def advance_until_killed(self, point: str) -> None:
        self.market.fuse.at = point
        self.attempt(self.market.workflows.advance_due(50))
        self.market.fuse.at = None

    @rule()
    def advance_in_two_processes(self) -> None:
        self.call(self.at_once())

    async def at_once(self) -> None:
        await asyncio.gather(*(self.market.workflows.advance_due(5) for _ in range(2)))

    @rule()
    def resume(self) -> None:
        """Somebody lets those try again that were set aside."""
        for row in self.rows(SAGAS):
            if row["parked_at"] is not None:
                self.attempt(self.market.workflows.resume(row["id"], actor=self.market.advisor))

    # --- what holds -------------------------------------------------------------------------------

    @invariant()
    def holds_good(self) -> None:
        """Nothing that must never be is there."""
        for name, sql in NEVER.items():
            assert self.rows(sql) == [], name
        for step in self.rows(STEPS_TAKEN):
            if step["outcome"] == "done":
                assert step["count"] == 1 or step["step"] in AGAIN, step
            elif step["outcome"] in ("failed", "parked"):
                assert step["code"] in FAILURES, step

    def teardown(self) -> None:
        """Let everything come to its end: all is whole, and stays so whatever comes again."""
        if not hasattr(self, "cohort"):
            return
        self.call(self.market.behave())
        self.drain()
        self.holds_good()
        for name, sql in AT_THE_END.items():
            assert self.rows(sql) == [], name
        left = self.standing()
        self.drain()
        assert self.standing() == left

    def drain(self) -> None:
        """Tell everything, backwards; let everything that is due happen."""
        for _ in range(3):
            self.resume()
            self.market.clock.advance(self.market.seats.hold_life + GRACE)
            self.call(self.end())

    async def end(self) -> None:
        market = self.market
        for _ in range(2):
            await market.pass_time_at_the_gateway()
            await market.service.run_due()
            await market.holds.expire_due()
            for event in reversed(await market.told(await market.events_of(self.cohort.id))):
                await market.service.receive(event)
            await market.relay()
            await market.workflows.advance_due(500)

    def standing(self) -> list[list[dict[str, Any]]]:
        """Return how everything stands, but for when somebody last looked."""
        return [self.rows(sql) for sql in (SAGAS, STEPS_TAKEN, PAYMENTS, BOOKS, SEATS, NOTICES)]

    def sagas(self) -> list[dict[str, Any]]:
        return [row for row in self.rows(SAGAS) if row["kind"] == "enrolment"]

    def any_saga(self, data: st.DataObject) -> dict[str, Any] | None:
        sagas = self.sagas()
        return data.draw(st.sampled_from(sagas)) if sagas else None

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return self.call(self.market.rows(sql, *[self.cohort.id] * sql.count("%s")))


@pytest.fixture
async def market(database: Database, clock: FixedClock) -> Market:
    market = Market(database, clock)
    await market.furnish()
    return market


async def _run(market: Market, *, examples: int, steps: int) -> None:
    Sagas.market, Sagas.loop = market, asyncio.get_running_loop()
    case = Sagas.TestCase
    case.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],  # to shrink a story against a database takes many minutes
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(case("runTest").runTest)


@pytest.mark.timeout(400)
async def test_enrolments_end_whole_whatever_happens(market: Market) -> None:
    await _run(market, examples=8, steps=18)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_enrolments_end_whole_whatever_happens_for_long(market: Market) -> None:
    await _run(market, examples=50, steps=40)
    assert set(CRASH_POINTS) <= market.fuse.passed
