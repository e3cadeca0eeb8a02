"""All the SQL of holds."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from crm.courses.models import CohortId
from crm.courses.seats.models import HoldId, HoldStatus, SeatHold
from crm.db import Connection
from crm.facts import facts_of
from crm.ids import PersonId

_COLUMNS = (
    "id, cohort_id, person_id, kind, status, waived, effect_key, entry_id, created_at, "
    "expires_at, ended_at"
)


async def insert_holds(conn: Connection, holds: Sequence[SeatHold]) -> None:
    """Add holds; the caller has the cohorts' locks and counted their seats."""
    await conn.execute(
        f"INSERT INTO seat_holds ({_COLUMNS}) SELECT {_COLUMNS} "  # noqa: S608 (constant columns)
        "FROM jsonb_populate_recordset(NULL::seat_holds, %s)",
        [Jsonb([_plain(hold) for hold in holds])],
    )


def _plain(hold: SeatHold) -> dict[str, object]:
    kept = (bool, type(None))
    return {n: v if isinstance(v, kept) else str(v) for n, v in facts_of(hold).items()}


async def select_hold(
    conn: Connection, hold_id: HoldId, *, owner: PersonId | None = None
) -> SeatHold | None:
    """Return a hold.

    Args:
        owner: the student who asks; they find only their own. None for staff.
    """
    return await _one(
        conn,
        "WHERE id = %(id)s AND (%(owner)s::uuid IS NULL OR person_id = %(owner)s)",
        {"id": hold_id, "owner": owner},
    )


async def select_by_effect(conn: Connection, effect_key: str) -> SeatHold | None:
    """Return the hold that an effect placed or took over."""
    return await _one(conn, "WHERE effect_key = %(key)s", {"key": effect_key})


async def select_live(
    conn: Connection, cohort_id: CohortId, person_id: PersonId
) -> SeatHold | None:
    """Return a person's hold of a settled cohort."""
    return await _one(
        conn,
        "WHERE cohort_id = %(cohort)s AND person_id = %(person)s AND status = 'live'",
        {"cohort": cohort_id, "person": person_id},
    )


async def bind_hold(
    conn: Connection, hold_id: HoldId, *, effect_key: str, until: datetime, waived: bool
) -> SeatHold:
    """Give a hold to the effect that will confirm or release it; it never ends sooner for that."""
    async with conn.cursor(row_factory=class_row(SeatHold)) as cursor:
        await cursor.execute(
            "UPDATE seat_holds SET effect_key = %s, expires_at = greatest(expires_at, %s), "  # noqa: S608
            f"waived = waived OR %s WHERE id = %s RETURNING {_COLUMNS}",
            [effect_key, until, waived, hold_id],
        )
        bound = await cursor.fetchone()
    assert bound is not None, "the caller holds the cohort's lock"  # noqa: S101
    return bound


async def end_hold(conn: Connection, hold_id: HoldId, status: HoldStatus, *, at: datetime) -> None:
    """Write how a hold ended, whether or not it had ended otherwise before."""
    await conn.execute(
        "UPDATE seat_holds SET status = %s, ended_at = %s WHERE id = %s", [status, at, hold_id]
    )


async def lapse_holds(
    conn: Connection, cohort_ids: Collection[CohortId], *, at: datetime
) -> list[SeatHold]:
    """End the holds of locked cohorts whose time is over, and return them."""
    async with conn.cursor(row_factory=class_row(SeatHold)) as cursor:
        await cursor.execute(
            "UPDATE seat_holds SET status = 'expired', ended_at = %(at)s "  # noqa: S608
            "WHERE cohort_id = ANY(%(cohorts)s) AND status = 'live' AND expires_at <= %(at)s "
            f"RETURNING {_COLUMNS}",
            {"cohorts": list(cohort_ids), "at": at},
        )
        return await cursor.fetchall()


async def lock_due_cohorts(conn: Connection, *, at: datetime, limit: int) -> list[CohortId]:
    """Lock the cohorts of the holds that are longest overdue, leaving those somebody else has."""
    rows = await conn.execute(
        """
        SELECT id FROM cohorts WHERE id IN (
            SELECT cohort_id FROM seat_holds WHERE status = 'live' AND expires_at <= %s
            ORDER BY expires_at LIMIT %s
        ) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
        """,
        [at, limit],
    )
    return [CohortId(r["id"]) for r in await rows.fetchall()]


async def select_holds(
    conn: Connection,
    cohort_id: CohortId,
    *,
    live_at: datetime | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[SeatHold]:
    """Return a cohort's holds, newest first.

    Args:
        live_at: leaves those that are live then; None returns all.
        after: (created_at, id) of the last one seen.
    """
    at, last = after or (None, None)
    clauses = ["cohort_id = %(cohort)s"]
    clauses += ["status = 'live' AND expires_at > %(live_at)s"] if live_at else []
    clauses += ["(created_at, id) < (%(at)s, %(last)s)"] if after else []
    async with conn.cursor(row_factory=class_row(SeatHold)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM seat_holds WHERE {' AND '.join(clauses)} "  # noqa: S608
            "ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
            {"cohort": cohort_id, "live_at": live_at, "at": at, "last": last, "limit": limit},
        )
        return await cursor.fetchall()


async def _one(conn: Connection, where: str, values: dict[str, object]) -> SeatHold | None:
    async with conn.cursor(row_factory=class_row(SeatHold)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM seat_holds {where}",  # noqa: S608 (constants of this file)
            values,
        )
        return await cursor.fetchone()
