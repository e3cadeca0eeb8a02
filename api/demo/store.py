"""All the SQL of the demo: the institution in bulk, COPY of made-up people."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from api.demo.material import CourseFacts, OpenCohort
from api.demo.rows import EnrolmentRow
from crm.db import Connection
from crm.money import exponent_of
from crm.payments.ledger.models import Account

# --- the institution ----------------------------------------------------------------------------


async def insert_missing(
    conn: Connection, table: str, rows: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Add the rows whose code is not there yet; returns their codes."""
    cursor = await conn.execute(
        _insert(table, rows) + sql.SQL("ON CONFLICT (code) DO NOTHING RETURNING code"),
        [_json(rows)],
    )
    return [r["code"] for r in await cursor.fetchall()]


async def insert_all(conn: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Add rows; those that are there already stay as they are. Returns how many are new."""
    if not rows:
        return 0
    query = _insert(table, rows) + sql.SQL("ON CONFLICT DO NOTHING")
    return (await conn.execute(query, [_json(rows)])).rowcount


def _insert(table: str, rows: Sequence[Mapping[str, Any]]) -> sql.Composed:
    return sql.SQL(
        "INSERT INTO {table} ({columns}) "
        "SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %s) "
    ).format(table=sql.Identifier(table), columns=_names(list(rows[0])))


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _json(rows: Sequence[Mapping[str, Any]]) -> Jsonb:
    return Jsonb([{k: _plain(v) for k, v in row.items()} for row in rows])


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | bool | list):
        return value
    return str(value)


# --- made-up people -----------------------------------------------------------------------------


async def select_cohort_ids(conn: Connection, codes: Sequence[str]) -> dict[str, UUID]:
    """Return the ids of these cohorts by their codes."""
    rows = await conn.execute(
        "SELECT code, id FROM cohorts WHERE code = ANY(%s) ORDER BY id FOR UPDATE", [list(codes)]
    )
    return {r["code"]: r["id"] for r in await rows.fetchall()}


async def is_untouched(conn: Connection, ticket_id: UUID) -> bool:
    """Return whether nothing has happened with a ticket since it was opened."""
    rows = await conn.execute(
        "SELECT count(*) AS n FROM ticket_events WHERE ticket_id = %s", [ticket_id]
    )
    row = await rows.fetchone()
    return row is not None and row["n"] == 1


async def select_course_facts(conn: Connection) -> list[CourseFacts]:
    """Return the active courses by code."""
    rows = await conn.execute(
        """
        SELECT code, title_es, title_en, price_minor, currency, weeks, ARRAY(
            SELECT prerequisite_code FROM course_prerequisites WHERE course_code = code
        ) AS before FROM courses WHERE active ORDER BY code
        """
    )
    return [
        CourseFacts(
            code=r["code"],
            title={"es": r["title_es"], "en": r["title_en"]},
            price=_money(r["price_minor"], r["currency"]),
            price_minor=r["price_minor"],
            currency=r["currency"],
            weeks=r["weeks"],
            prerequisites=frozenset(r["before"]),
        )
        for r in await rows.fetchall()
    ]


def _money(amount_minor: int, currency: str) -> str:
    exponent = exponent_of(currency)
    return f"{currency} {amount_minor / 10**exponent:.{exponent}f}"


async def select_programme_codes(conn: Connection) -> list[str]:
    """Return the codes of the active programmes."""
    rows = await conn.execute("SELECT code FROM programmes WHERE active ORDER BY code")
    return [r["code"] for r in await rows.fetchall()]


async def select_scholarship_codes(conn: Connection) -> list[str]:
    """Return the codes of the scholarships that one applies for."""
    rows = await conn.execute(
        "SELECT code FROM scholarships WHERE active AND NOT automatic ORDER BY code"
    )
    return [r["code"] for r in await rows.fetchall()]


async def select_open_cohorts(conn: Connection, *, today: date) -> list[OpenCohort]:
    """Return the cohorts that take people on a day, by code, full or not."""
    rows = await conn.execute(
        "SELECT id::text, course_code, starts_on FROM cohorts "
        "WHERE status = 'open' AND enrolment_closes >= %s ORDER BY code",
        [today],
    )
    return [OpenCohort(**r) for r in await rows.fetchall()]


async def select_advisors(conn: Connection) -> list[str]:
    """Return the ids of active advisors by their address."""
    rows = await conn.execute(
        "SELECT id::text FROM staff WHERE active AND role = 'advisor' ORDER BY email"
    )
    return [r["id"] for r in await rows.fetchall()]


async def select_existing(conn: Connection, ids: Sequence[str]) -> set[str]:
    """Return which of these people are there."""
    rows = await conn.execute("SELECT id::text FROM people WHERE id = ANY(%s::uuid[])", [list(ids)])
    return {r["id"] for r in await rows.fetchall()}


async def select_taken_phones(conn: Connection, phones: Sequence[str]) -> set[str]:
    """Return which of these numbers somebody has."""
    rows = await conn.execute(
        "SELECT phone FROM people WHERE phone = ANY(%s) AND status = 'active'", [list(phones)]
    )
    return {r["phone"] for r in await rows.fetchall()}


async def copy_rows(conn: Connection, table: str, rows: Sequence[NamedTuple]) -> None:
    """Add rows whose fields are the table's columns."""
    if not rows:
        return
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), _names(rows[0]._fields)
    )
    async with conn.cursor() as cursor, cursor.copy(query) as copy:
        for row in rows:
            await copy.write_row(row)


async def enrol_where_seats_are_left(
    conn: Connection, wishes: Sequence[EnrolmentRow], *, fill_percent: int
) -> set[str]:
    """Enrol people in the order given until cohorts are filled to a share of their seats.

    Returns: the ids of the enrolments that there was a seat for.
    """
    cohort_ids = [w.cohort_id for w in wishes]
    await conn.execute(
        "SELECT 1 FROM cohorts WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE", [cohort_ids]
    )
    cursor = await conn.execute(
        """
        WITH wishes AS (
            SELECT *, row_number() OVER (PARTITION BY cohort_id ORDER BY n) AS rank
            FROM unnest(%(ids)s::uuid[], %(people)s::uuid[], %(cohorts)s::uuid[],
                %(times)s::timestamptz[]) WITH ORDINALITY AS w (id, person_id, cohort_id, at, n)
        ), free AS (
            SELECT c.id, (c.seats - c.blocked_seats) * %(fill)s / 100 - (
                SELECT count(*) FROM enrolments
                WHERE cohort_id = c.id AND status IN ('confirmed', 'completed')
            ) - (
                SELECT count(*) FROM seat_holds WHERE cohort_id = c.id AND status = 'live'
            ) AS seats FROM cohorts c WHERE c.id = ANY(%(cohorts)s::uuid[])
        )
        INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at)
        SELECT w.id, w.person_id, w.cohort_id, 'confirmed', w.at
        FROM wishes w JOIN free f ON f.id = w.cohort_id WHERE w.rank <= f.seats
        ON CONFLICT DO NOTHING RETURNING id::text
        """,
        {
            "ids": [w.id for w in wishes],
            "people": [w.person_id for w in wishes],
            "cohorts": cohort_ids,
            "times": [w.confirmed_at for w in wishes],
            "fill": fill_percent,
        },
    )
    return {r["id"] for r in await cursor.fetchall()}


async def select_full_cohorts(conn: Connection, cohort_ids: Sequence[str]) -> set[str]:
    """Return which of these cohorts have no seat left."""
    rows = await conn.execute(
        """
        SELECT id::text FROM cohorts c WHERE id = ANY(%s::uuid[]) AND seats - blocked_seats <= (
            SELECT count(*) FROM enrolments
            WHERE cohort_id = c.id AND status IN ('confirmed', 'completed')
        ) + (SELECT count(*) FROM seat_holds WHERE cohort_id = c.id AND status = 'live')
        """,
        [list(set(cohort_ids))],
    )
    return {r["id"] for r in await rows.fetchall()}


async def open_accounts(conn: Connection, accounts: Collection[Account]) -> None:
    """Open accounts of the ledger; those that are open already stay as they are."""
    # In one order everywhere: two that open the same accounts at once must not lock each other.
    rows = sorted(accounts, key=lambda account: account.code)
    fields = ("code", "kind", "owner_id", "gateway", "currency")
    await insert_all(
        conn, "ledger_accounts", [{name: getattr(a, name) for name in fields} for a in rows]
    )


async def analyse(conn: Connection, tables: Sequence[str]) -> None:
    """Tell the planner how much there is now."""
    await conn.execute(
        sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(map(sql.Identifier, tables)))
    )
