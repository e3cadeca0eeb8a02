"""Reminders reach those who owe and may be reminded, once a step, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.actor import SERVICE_ACTOR
from crm.errors import RuleBroken

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from crm.payments.invoices.models import Invoice
    from tests.integration.crm.dunning.conftest import Collector

#: What keeps a reminder back, and how it comes about.
OBSTACLES: Mapping[str, Callable[[Collector, Invoice], Awaitable[None]]] = {
    "paid": lambda collector, invoice: collector.pay(invoice, 30_000),
    "cancelled": lambda collector, invoice: collector.cancel(invoice),
    "disputed": lambda collector, invoice: collector.pay(invoice, 10_000, "completed", "disputed"),
    "paying": lambda collector, invoice: collector.pay(invoice, 10_000, "authorized"),
    "opted_out": lambda collector, invoice: collector.opt_out(invoice.person_id),
    "revoked": lambda collector, invoice: collector.consent(invoice.person_id, granted=False),
    "promised": lambda collector, invoice: collector.promise(invoice, 5),
    "withdrawn": lambda collector, invoice: collector.leave(invoice),
}


@pytest.mark.parametrize(
    ("days", "subject"),
    [
        (3, "Tu próxima cuota vence el 27 de noviembre de 2026"),
        (0, "Tu cuota vence hoy"),
        (-3, "Tienes una cuota pendiente"),
    ],
)
async def test_reminder_says_what_is_due_and_where_to_pay(
    collector: Collector, days: int, subject: str
) -> None:
    invoice = await collector.owed(days)
    await collector.remind()
    await collector.send()
    ((said, body),) = await collector.mails(invoice)
    assert said == subject
    assert "PEN 300" in body
    assert "http://andino.example/pay/" in body
    assert str(invoice.number) in body


async def test_reminder_comes_once_a_step(collector: Collector) -> None:
    invoice = await collector.owed(3)
    for _ in range(24):
        await asyncio.gather(collector.dunning.send_reminders(), collector.remind())
        await collector.send()
        collector.clock.advance(timedelta(days=1))
    assert len(await collector.mails(invoice)) == 5


async def test_each_instalment_is_reminded_of_by_itself(collector: Collector) -> None:
    invoice = await collector.owed(0, 3, 30)
    await collector.remind()
    await collector.send()
    assert len(await collector.mails(invoice)) == 2
    await collector.pay(invoice, 10_000)
    collector.clock.advance(timedelta(days=3))
    await collector.remind()
    await collector.send()
    assert len(await collector.mails(invoice)) == 3


@pytest.mark.parametrize("days", [4, 30, -25])
async def test_nobody_is_reminded_on_other_days(collector: Collector, days: int) -> None:
    invoice = await collector.owed(days)
    await collector.remind()
    assert await collector.codes(invoice) == []


async def test_who_never_consented_is_left_to_an_advisor(collector: Collector) -> None:
    invoice = await collector.owed(0, consents=False)
    await collector.remind()
    await collector.send()
    assert await collector.mails(invoice) == []
    assert await collector.codes(invoice) == ["contact.consent"]


async def test_quiet_hours_put_the_reminder_off(collector: Collector) -> None:
    invoice = await collector.owed(0)
    collector.clock.advance(timedelta(hours=13))
    await collector.remind()
    await collector.send()
    assert await collector.codes(invoice) == ["contact.quiet_hours"]
    collector.clock.advance(timedelta(hours=10))
    await collector.remind()
    await collector.send()
    assert len(await collector.mails(invoice)) == 1
    assert await collector.codes(invoice) == [None]


async def test_reminder_that_quiet_hours_caught_waits_for_the_morning(
    collector: Collector,
) -> None:
    invoice = await collector.owed(0)
    await collector.remind()
    collector.clock.advance(timedelta(hours=13))
    await collector.send()
    assert await collector.mails(invoice) == []
    collector.clock.advance(timedelta(hours=10))
    await collector.send()
    assert len(await collector.mails(invoice)) == 1


async def test_promise_ends_on_its_day_or_when_it_is_lifted(collector: Collector) -> None:
    broken, lifted = await collector.owed(0), await collector.owed(0)
    for invoice in (broken, lifted):
        await collector.promise(invoice, 1)
    await collector.dunning.resume(lifted.id, actor=SERVICE_ACTOR)
    await collector.remind()
    await collector.send()
    assert [len(await collector.mails(i)) for i in (broken, lifted)] == [0, 1]
    collector.clock.advance(timedelta(days=2))
    await collector.remind()
    await collector.send()
    assert [len(await collector.mails(i)) for i in (broken, lifted)] == [1, 1]


@pytest.mark.parametrize("days", [-1, 181])
async def test_promise_must_be_about_the_near_future(collector: Collector, days: int) -> None:
    with pytest.raises(RuleBroken, match=r"dunning\.pause_until"):
        await collector.promise(await collector.owed(0), days)


async def test_one_that_cannot_be_sent_holds_up_no_other(collector: Collector) -> None:
    stuck, free = await collector.owed(0), await collector.owed(0)
    await collector.execute(
        "UPDATE subject_keys SET wrapped_key = NULL, destroyed_at = %s WHERE subject_id = %s",
        *(collector.clock.now(), stuck.person_id),
    )
    await collector.remind()
    await collector.send()
    assert [len(await collector.mails(i)) for i in (stuck, free)] == [0, 1]


async def test_no_mixture_of_obstacles_lets_a_reminder_through(collector: Collector) -> None:
    loop = asyncio.get_running_loop()
    some = st.lists(st.sampled_from(list(OBSTACLES)), max_size=2, unique=True)

    def wait(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(30)

    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(before=some, meanwhile=some, days=st.integers(-14, 3), night=st.booleans())
    def obstacles_hold(before: list[str], meanwhile: list[str], days: int, night: bool) -> None:
        wait(_try(collector, before, [m for m in meanwhile if m not in before], days, night=night))

    await asyncio.to_thread(obstacles_hold)


async def _try(
    collector: Collector, before: list[str], meanwhile: list[str], days: int, *, night: bool
) -> None:
    invoice = await collector.owed(days)
    await _all(collector, invoice, before, first=True)
    await collector.remind()
    await _all(collector, invoice, meanwhile, first=not before)
    if night:
        collector.clock.advance(timedelta(hours=12))
    await collector.send()
    expected = 0 if before or meanwhile or night else _steps_on(days)
    try:
        assert len(await collector.mails(invoice)) == expected
    finally:
        if night:
            collector.clock.advance(timedelta(hours=-12))


async def _all(
    collector: Collector, invoice: Invoice, obstacles: list[str], *, first: bool
) -> None:
    for obstacle in obstacles:
        try:
            await OBSTACLES[obstacle](collector, invoice)
        except RuleBroken:  # what is paid or cancelled takes no second payment
            assert not first or obstacles.index(obstacle) > 0


def _steps_on(days: int) -> int:
    return int(-19 <= days <= 3)
