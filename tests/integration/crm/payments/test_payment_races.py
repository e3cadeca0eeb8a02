"""Many at once on one invoice take, ask for and give back nothing twice; lists stay quick."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from crm.errors import RuleBroken
from crm.ids import PersonId
from crm.money import Money
from crm.payments import fact_store, store
from crm.payments.invoices import store as invoices

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from tests.integration.crm.payments.conftest import Till


async def refusals(*works: Coroutine[Any, Any, object]) -> list[str]:
    """Do everything at once and return the codes of what was refused; nothing else may fail."""
    ends = await asyncio.gather(*works, return_exceptions=True)
    broken = [end for end in ends if isinstance(end, BaseException)]
    assert all(isinstance(end, RuleBroken) for end in broken), broken
    return [end.code for end in broken if isinstance(end, RuleBroken)]


async def test_sixteen_at_once_neither_overpay_nor_ask_for_too_much(till: Till) -> None:
    for _ in range(5):
        invoice = await till.invoice(100)
        refused = await refusals(*(till.begin(invoice, 40) for _ in range(16)))
        assert refused == ["payment.pending"] * 14

        invoice = await till.invoice(100)
        facts: dict[str, Any] = {"invoice_id": invoice.id, "actor": till.advisor}
        fee = Money(30, "PEN")
        refused = await refusals(
            *(till.service.take_by_hand(amount=fee, method="cash", **facts) for _ in range(16))
        )
        assert refused == ["payment.amount"] * 13
        assert await till.owed(invoice) == 10


async def test_sixteen_at_once_never_give_back_more_than_was_taken(till: Till) -> None:
    for _ in range(5):
        payment = await till.paid(100)
        refused = await refusals(*(till.refund(payment, 30) for _ in range(16)))
        assert refused == ["refund.exceeds"] * 13
        assert (await till.payment(payment.id)).refund_pending.amount_minor == 90


async def test_everything_at_once_on_one_invoice_ends_and_balances(till: Till) -> None:
    for _ in range(10):
        invoice = await till.invoice(100)
        one, two = await till.opened(invoice, 50), await till.opened(invoice, 50)
        await refusals(
            till.tell(one, "completed", 50),
            till.tell(two, "completed", 50),
            till.tell(two, "disputed", 50),
            till.refund(one, 20),
            till.void(two),
            till.cancel(invoice),
            till.service.run_due(),
            till.service.run_due(),
        )
        after = await till.seen(invoice)
        assert after.is_settled
        assert await till.owed(invoice) == after.outstanding.amount_minor


class Explaining:
    """A connection that notes the plan of every query it is asked."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn
        self.plans: list[str] = []

    async def execute(self, query: str, values: Any = None) -> Any:
        rows = await self._conn.execute("EXPLAIN " + query, values)
        self.plans.append("\n".join(row["QUERY PLAN"] for row in await rows.fetchall()))
        return await self._conn.execute(query, values)


MANY = """
    WITH raised AS (
        INSERT INTO invoices (id, reference, person_id, debtor_id, net_minor, currency,
            next_due_on, created_at)
        SELECT gen_random_uuid(), 'many:' || n, %(person)s, %(person)s, 100, 'PEN',
            CASE WHEN n %% 50 = 0 THEN date '2026-01-01' END,
            timestamptz '2026-01-01' + n * interval '1 minute'
        FROM generate_series(1, 20000) AS n RETURNING id, created_at
    ), paid AS (
        INSERT INTO payments (id, invoice_id, person_id, gateway, amount_minor, currency,
            effect_key, status, captured_minor, version, created_at, updated_at)
        SELECT gen_random_uuid(), id, %(person)s, 'pretend', 100, 'PEN', 'many:' || id,
            'completed', 100, 1, created_at, created_at
        FROM raised
    )
    INSERT INTO instalments (invoice_id, number, amount_minor, due_on)
    SELECT id, 1, 100, date '2026-01-01' FROM raised
"""


@pytest.fixture
async def many(till: Till) -> PersonId:
    """Somebody with twenty thousand invoices, each paid."""
    person_id = await till.new_person()
    async with till.database.transaction() as uow:
        await uow.conn.execute(MANY, {"person": person_id})
    for table in ("invoices", "payments", "instalments", "credit_notes", "payment_events"):
        async with till.database.read() as conn:
            await conn.execute(f"ANALYZE {table}")
    return person_id


async def test_no_list_reads_a_whole_table(till: Till, many: PersonId) -> None:
    today = till.due(0)[0]
    async with till.database.read() as conn:
        seen: Any = Explaining(conn)
        after = (till.clock.now(), many)
        page: dict[str, Any] = {"after": after, "limit": 51}
        lists: list[Callable[[], Awaitable[object]]] = [
            lambda: store.select_payments(seen, {}, owner=None, **page),
            lambda: store.select_payments(seen, {"status": "disputed"}, owner=None, **page),
            lambda: store.select_payments(seen, {"gateway": "cash"}, owner=None, **page),
            lambda: store.select_payments(seen, {}, owner=many, **page),
            lambda: fact_store.select_disputes(seen, after=(after[0], "x"), limit=51),
            *(
                lambda only=only: invoices.select_invoices(  # type: ignore[misc]
                    seen, only, person_id=None, today=today, **page
                )
                for only in (None, "owed", "overdue", "paid", "cancelled")
            ),
            lambda: invoices.select_invoices(seen, None, person_id=many, today=today, **page),
        ]
        for run in lists:
            await run()
    assert len(seen.plans) == len(lists)
    for plan in seen.plans:
        for table in ("invoices", "payments", "instalments", "payment_events"):
            assert f"Seq Scan on {table}" not in plan, plan
