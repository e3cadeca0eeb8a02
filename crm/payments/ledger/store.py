"""All the SQL of the ledger."""

from collections.abc import Sequence
from datetime import datetime

from crm.db import Connection
from crm.ids import new_id
from crm.payments.ledger.models import Account, LedgerTransaction


async def insert_transactions(
    conn: Connection, transactions: Sequence[LedgerTransaction], *, at: datetime
) -> int:
    """Post those whose source key is new; return how many were."""
    wanted = [t for t in transactions if t.postings]
    if not wanted:
        return 0
    await _insert_accounts(conn, {a for t in wanted for a in t.postings})
    posted = await _insert_heads(conn, wanted, at=at)
    lines = [
        (posted[t.source_key], account.code, account.currency, amount)
        for t in wanted
        if t.source_key in posted
        for account, amount in t.postings.items()
    ]
    await conn.execute(
        "INSERT INTO ledger_postings (transaction_id, account, currency, amount_minor) "
        "SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[])",
        [[line[i] for line in lines] for i in range(4)],
    )
    return len(posted)


async def _insert_accounts(conn: Connection, accounts: set[Account]) -> None:
    # In one order everywhere: two that open the same accounts at once must not lock each other.
    rows = sorted(accounts, key=lambda account: account.code)
    await conn.execute(
        "INSERT INTO ledger_accounts (code, kind, owner_id, gateway, currency) "
        "SELECT * FROM unnest(%s::text[], %s::text[], %s::uuid[], %s::text[], %s::text[]) "
        "ON CONFLICT DO NOTHING",
        [
            [a.code for a in rows],
            [a.kind for a in rows],
            [a.owner_id for a in rows],
            [a.gateway for a in rows],
            [a.currency for a in rows],
        ],
    )


async def _insert_heads(
    conn: Connection, transactions: Sequence[LedgerTransaction], *, at: datetime
) -> dict[str, object]:
    rows = await conn.execute(
        """
        INSERT INTO ledger_transactions
            (id, source_key, kind, invoice_id, payment_id, occurred_at, recorded_at)
        SELECT t.*, %s FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::uuid[],
            %s::timestamptz[]) AS t
        ON CONFLICT (source_key) DO NOTHING RETURNING id, source_key
        """,
        [
            at,
            [new_id() for _ in transactions],
            [t.source_key for t in transactions],
            [t.kind for t in transactions],
            [t.invoice_id for t in transactions],
            [t.payment_id for t in transactions],
            [t.occurred_at for t in transactions],
        ],
    )
    return {row["source_key"]: row["id"] for row in await rows.fetchall()}


async def select_balances(conn: Connection) -> dict[str, int]:
    """Return what stands on every account that is not empty, by its code."""
    rows = await conn.execute(
        "SELECT account, sum(amount_minor)::bigint AS balance FROM ledger_postings "
        "GROUP BY account HAVING sum(amount_minor) <> 0 ORDER BY account"
    )
    return {row["account"]: row["balance"] for row in await rows.fetchall()}


async def select_totals(conn: Connection) -> list[tuple[str, str | None, str, int]]:
    """Return what stands on the accounts of each kind, gateway and currency, debtors together."""
    rows = await conn.execute(
        """
        SELECT a.kind, a.gateway, a.currency, sum(p.amount_minor)::bigint AS balance
        FROM ledger_postings AS p JOIN ledger_accounts AS a ON a.code = p.account
        GROUP BY a.kind, a.gateway, a.currency ORDER BY a.kind, a.gateway, a.currency
        """
    )
    return [
        (row["kind"], row["gateway"], row["currency"], row["balance"])
        for row in await rows.fetchall()
    ]
