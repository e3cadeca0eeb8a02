"""The database itself keeps the books: balanced, append-only, and made again from what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from crm.db import UnitOfWork
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.payments.ledger import store
from crm.payments.ledger.models import Account, LedgerTransaction
from crm.payments.ledger.replay import rebuild_ledger, rebuild_payments

if TYPE_CHECKING:
    from uuid import UUID

    from tests.integration.crm.payments.conftest import Till

LEDGER = ("ledger_postings", "ledger_transactions", "ledger_accounts")


async def transact(uow: UnitOfWork, *lines: tuple[str, str, int]) -> None:
    """Post lines behind the code's back."""
    transaction_id = new_id()
    await uow.conn.execute(
        "INSERT INTO ledger_transactions (id, source_key, kind, occurred_at, recorded_at) "
        "VALUES (%s, %s, 'test', now(), now())",
        [transaction_id, str(transaction_id)],
    )
    await add_lines(uow, transaction_id, *lines)


async def add_lines(uow: UnitOfWork, transaction_id: UUID, *lines: tuple[str, str, int]) -> None:
    for kind, currency, amount in lines:
        code = f"{kind}:{currency}"
        await uow.conn.execute(
            "INSERT INTO ledger_accounts (code, kind, currency) VALUES (%s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [code, kind, currency],
        )
        await uow.conn.execute(
            "INSERT INTO ledger_postings (transaction_id, account, currency, amount_minor) "
            "VALUES (%s, %s, %s, %s)",
            [transaction_id, code, currency, amount],
        )


async def test_database_takes_what_balances_in_each_currency(till: Till) -> None:
    async with till.database.transaction() as uow:
        lines = [("revenue", "PEN", 5), ("disputes", "PEN", -5)]
        await transact(uow, *lines, ("revenue", "CLP", 7), ("disputes", "CLP", -7))


@pytest.mark.parametrize(
    "lines",
    [
        [("revenue", "PEN", 5)],
        [("revenue", "PEN", 5), ("disputes", "PEN", -4)],
        [("revenue", "PEN", 5), ("disputes", "CLP", -5)],
        [],
    ],
)
async def test_database_refuses_what_does_not_balance(
    till: Till, lines: list[tuple[str, str, int]]
) -> None:
    before = await till.count("SELECT count(*) FROM ledger_transactions")
    with pytest.raises(psycopg.errors.CheckViolation):
        async with till.database.transaction() as uow:
            await transact(uow, *lines)
    assert await till.count("SELECT count(*) FROM ledger_transactions") == before


async def test_posting_added_to_a_balanced_transaction_is_refused(till: Till) -> None:
    await till.invoice(100)
    async with till.database.read() as conn:
        rows = await conn.execute("SELECT id FROM ledger_transactions LIMIT 1")
        row: Any = await rows.fetchone()
    with pytest.raises(psycopg.errors.CheckViolation):
        async with till.database.transaction() as uow:
            await add_lines(uow, row["id"], ("bank_fees", "PEN", 1))


@pytest.mark.parametrize("table", [*LEDGER, "payment_events", "instalments", "credit_notes"])
async def test_books_are_append_only(till: Till, table: str) -> None:
    await till.paid(100)
    await till.cancel(await till.invoice(100))
    for change in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        if change.startswith("TRUNCATE") and table in ("instalments", "credit_notes"):
            continue
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await till.execute(change)


async def test_code_refuses_what_does_not_balance(till: Till) -> None:
    with pytest.raises(RuleBroken, match=r"ledger\.unbalanced"):
        LedgerTransaction(
            source_key="x",
            kind="x",
            occurred_at=till.clock.now(),
            postings={Account("revenue", "PEN"): 1, Account("revenue", "CLP"): -1},
        )


async def live_through_everything(till: Till) -> None:
    """Have something happen to every kind of account."""
    refunded = await till.paid(100)
    await till.tell(refunded, "refunded", 30)
    refund = await till.refund(refunded, 50)
    await till.tell(refunded, "refund_failed", 50, refund_id=refund.id)
    await till.refund(refunded, 20)
    disputed, lost = await till.paid(77), await till.paid(33)
    await till.tell(disputed, "disputed", 77)
    await till.tell(lost, "disputed", 33)
    await till.tell(lost, "dispute_lost", 33)
    early = await till.opened(await till.invoice(1_000, 1, 2, 3), 400)
    await till.tell(early, "refunded", 100)
    await till.tell(early, "completed", 400)
    invoice = await till.invoice(900, currency="CLP")
    await till.service.take_by_hand(
        invoice_id=invoice.id, amount=invoice.net, method="transfer", actor=till.advisor
    )
    await till.cancel(await till.invoice(55, currency="KWD"))


async def emptied(uow: UnitOfWork) -> None:
    """Empty the ledger, which only its owner can, by first taking its triggers off."""
    for table in LEDGER:
        await uow.conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        await uow.conn.execute(f"DELETE FROM {table}")
    for table in LEDGER:
        await uow.conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


async def test_replay_of_everything_into_an_empty_ledger_gives_the_same_balances(
    till: Till,
) -> None:
    await live_through_everything(till)
    async with till.database.read() as conn, conn.transaction(force_rollback=True):
        uow = UnitOfWork(conn, till.clock, till.database.vault)
        rows = await conn.execute("SELECT id FROM ledger_transactions WHERE kind = 'test'")
        strays = [row["id"] for row in await rows.fetchall()]
        before = await _balances_without(uow, strays)
        count = await _transactions(uow) - len(strays)
        await emptied(uow)
        assert await store.select_balances(conn) == {}
        assert await rebuild_ledger(uow) == count
        assert await store.select_balances(conn) == before
        assert await rebuild_ledger(uow) == 0
        await conn.execute("SET CONSTRAINTS ALL IMMEDIATE")


async def _transactions(uow: UnitOfWork) -> int:
    rows = await uow.conn.execute("SELECT count(*) FROM ledger_transactions")
    row: Any = await rows.fetchone()
    return int(row["count"])


async def _balances_without(uow: UnitOfWork, strays: list[UUID]) -> dict[str, int]:
    rows = await uow.conn.execute(
        "SELECT account, sum(amount_minor)::bigint AS balance FROM ledger_postings "
        "WHERE NOT transaction_id = ANY(%s) GROUP BY account HAVING sum(amount_minor) <> 0 "
        "ORDER BY account",
        [strays],
    )
    return {row["account"]: row["balance"] for row in await rows.fetchall()}


async def test_complete_ledger_is_left_as_it_is_and_lists_can_be_made_again(till: Till) -> None:
    await live_through_everything(till)
    columns = (
        "id, status, captured_minor, refunded_minor, refund_pending_minor, disputed_minor, "
        "lost_minor, gateway_ref, checkout_url, checkout_expires_at, version"
    )
    queries = (
        f"SELECT {columns} FROM payments ORDER BY id",
        "SELECT id, status FROM refunds ORDER BY id",
        "SELECT id, next_due_on FROM invoices ORDER BY id",
    )
    async with till.database.transaction() as uow:

        async def lists() -> list[Any]:
            return [await (await uow.conn.execute(query)).fetchall() for query in queries]

        assert await rebuild_ledger(uow) == 0
        before = await lists()
        await uow.conn.execute(
            "UPDATE payments SET status = 'initiated', captured_minor = 0, refunded_minor = 0, "
            "refund_pending_minor = 0, disputed_minor = 0, lost_minor = 0, gateway_ref = NULL"
        )
        await uow.conn.execute("UPDATE refunds SET status = 'pending'")
        await uow.conn.execute("UPDATE invoices SET next_due_on = '2001-01-01'")
        assert await lists() != before
        assert await rebuild_payments(uow) == len(before[0])
        assert await lists() == before


async def test_accounts_hold_ids_only_and_all_of_them_sum_to_nothing(till: Till) -> None:
    await live_through_everything(till)
    totals = await till.service.ledger_totals(actor=till.advisor)
    for currency in ("PEN", "CLP", "KWD"):
        assert sum(balance for *_, of, balance in totals if of == currency) == 0
    named = "SELECT count(*) FROM ledger_accounts WHERE code LIKE '%%Ana%%'"
    assert await till.count(named) == 0
