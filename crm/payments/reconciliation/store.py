"""All the SQL of reconciliation."""

from datetime import datetime
from uuid import UUID

from crm.db import Connection


async def select_clearing_moves(
    conn: Connection, gateway: str, *, since: datetime, until: datetime
) -> dict[tuple[UUID | None, str], int]:
    """Return what the ledger moved on a gateway's clearing accounts, by payment and currency.

    Settlements are left out: what a gateway pays out to us is no movement of a payment.
    """
    rows = await conn.execute(
        """
        SELECT t.payment_id, p.currency, sum(p.amount_minor)::bigint AS moved
        FROM ledger_transactions AS t
        JOIN ledger_postings AS p ON p.transaction_id = t.id
        JOIN ledger_accounts AS a ON a.code = p.account
        WHERE t.occurred_at >= %s AND t.occurred_at < %s AND t.payment_id IS NOT NULL
            AND a.kind = 'clearing' AND a.gateway = %s
        GROUP BY t.payment_id, p.currency
        """,
        [since, until, gateway],
    )
    return {(row["payment_id"], row["currency"]): row["moved"] for row in await rows.fetchall()}
