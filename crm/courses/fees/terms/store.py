"""All the SQL of the terms of discounts and scholarships, and of their funds."""

from collections.abc import Mapping

from psycopg.rows import DictRow

from crm.courses.fees.models import DiscountState, DiscountTerms, FundState, ScholarshipTerms
from crm.db import Connection
from crm.money import Money


async def select_discount(conn: Connection, code: str, *, lock: bool) -> DiscountTerms | None:
    """Return a discount's terms.

    Args:
        lock: keep others from counting its uses until this transaction ends.
    """
    rows = await conn.execute(
        f"SELECT * FROM discounts WHERE code = %s{' FOR NO KEY UPDATE' if lock else ''}",  # noqa: S608
        [code],
    )
    row = await rows.fetchone()
    return _discount_of(row) if row else None


async def select_discounts(conn: Connection, *, after: str, limit: int) -> list[DiscountState]:
    """Return discounts by code with how often each is used."""
    rows = await conn.execute(
        """
        SELECT d.*, q.used FROM discounts d, LATERAL (
            SELECT count(*) AS used FROM quotes
            WHERE discount_code = d.code AND status IN ('live', 'accepted')
        ) q WHERE d.code > %s ORDER BY d.code LIMIT %s
        """,
        [after, limit],
    )
    return [DiscountState(_discount_of(r), r["used"]) for r in await rows.fetchall()]


def _discount_of(row: DictRow) -> DiscountTerms:
    return DiscountTerms(
        code=row["code"],
        percent=row["percent"],
        cap=Money(row["cap_minor"], row["currency"]),
        active=row["active"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        usage_limit=row["usage_limit"],
        rule=row["rule"],
    )


async def count_uses(conn: Connection, discount_code: str) -> int:
    """Return how many quotes that stand carry a discount."""
    rows = await conn.execute(
        "SELECT count(*) FROM quotes WHERE discount_code = %s AND status IN ('live', 'accepted')",
        [discount_code],
    )
    row = await rows.fetchone()
    return int(row["count"]) if row else 0


async def lock_scholarship(conn: Connection, code: str) -> None:
    """Let nobody else draw on a scholarship's fund until this transaction ends."""
    await conn.execute("SELECT 1 FROM scholarships WHERE code = %s FOR NO KEY UPDATE", [code])


_FUND = """
    SELECT s.code, s.percent, s.cap_minor, s.fund_minor, s.currency, s.active, s.automatic,
        s.combines, q.reserved, q.granted
    FROM scholarships s, LATERAL (
        SELECT coalesce(sum(scholarship_minor) FILTER (WHERE status = 'live'), 0)::bigint
                AS reserved,
            coalesce(sum(scholarship_minor - returned_minor)
                FILTER (WHERE status = 'accepted'), 0)::bigint AS granted
        FROM quotes WHERE scholarship_code = s.code AND status IN ('live', 'accepted')
    ) q
"""


async def select_fund(conn: Connection, code: str) -> FundState | None:
    """Return a scholarship's terms and how its fund stands."""
    rows = await conn.execute(f"{_FUND} WHERE s.code = %s", [code])
    row = await rows.fetchone()
    return _fund_of(row) if row else None


async def select_funds(conn: Connection, *, after: str, limit: int) -> list[FundState]:
    """Return scholarships and their funds by code."""
    rows = await conn.execute(f"{_FUND} WHERE s.code > %s ORDER BY s.code LIMIT %s", [after, limit])
    return [_fund_of(r) for r in await rows.fetchall()]


def _fund_of(row: DictRow) -> FundState:
    currency = row["currency"]
    terms = ScholarshipTerms(
        code=row["code"],
        percent=row["percent"],
        cap=Money(row["cap_minor"], currency),
        fund=Money(row["fund_minor"], currency),
        active=row["active"],
        automatic=row["automatic"],
        combines=row["combines"],
    )
    return FundState(terms, Money(row["reserved"], currency), Money(row["granted"], currency))


async def update_discount(conn: Connection, code: str, columns: Mapping[str, object]) -> None:
    """Write some columns of a discount."""
    await _update(conn, "discounts", code, columns)


async def update_scholarship(conn: Connection, code: str, columns: Mapping[str, object]) -> None:
    """Write some columns of a scholarship."""
    await _update(conn, "scholarships", code, columns)


async def _update(conn: Connection, table: str, code: str, columns: Mapping[str, object]) -> None:
    assignments = ", ".join(f"{name} = %({name})s" for name in columns)
    await conn.execute(
        f"UPDATE {table} SET {assignments} WHERE code = %(code)s",  # noqa: S608 (constant names)
        {**columns, "code": code},
    )
