"""All the SQL of waitlists."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from crm.courses.models import Bilingual, CohortId
from crm.courses.seats.models import EntryId, EntryStatus, Room, Waiting, WaitlistEntry
from crm.db import Connection
from crm.facts import facts_of
from crm.ids import PersonId

_ENTRY = """
    SELECT w.id, w.cohort_id, w.person_id, w.priority, w.waived, w.status, w.joined_at, w.ended_at,
        h.id AS hold_id
    FROM waitlist_entries w LEFT JOIN seat_holds h ON h.entry_id = w.id
"""


async def insert_entry(conn: Connection, entry: WaitlistEntry) -> None:
    """Add a person to a cohort's queue."""
    await conn.execute(
        """
        INSERT INTO waitlist_entries (id, cohort_id, person_id, priority, waived, status, joined_at)
        VALUES (%(id)s, %(cohort_id)s, %(person_id)s, %(priority)s, %(waived)s, %(status)s,
            %(joined_at)s)
        """,
        facts_of(entry),
    )


async def select_entry(
    conn: Connection, entry_id: EntryId, *, owner: PersonId | None = None
) -> WaitlistEntry | None:
    """Return an entry; `owner` is the student who asks, None for staff."""
    return await _one(
        conn,
        "WHERE w.id = %(id)s AND (%(owner)s::uuid IS NULL OR w.person_id = %(owner)s)",
        {"id": entry_id, "owner": owner},
    )


async def select_open_entry(
    conn: Connection, cohort_id: CohortId, person_id: PersonId
) -> WaitlistEntry | None:
    """Return a person's entry that waits or has an offer."""
    return await _one(
        conn,
        "WHERE w.cohort_id = %(cohort)s AND w.person_id = %(person)s "
        "AND w.status IN ('waiting', 'offered')",
        {"cohort": cohort_id, "person": person_id},
    )


async def select_next(
    conn: Connection, rooms: Sequence[Room]
) -> list[tuple[WaitlistEntry, datetime]]:
    """Return whose turn it is, one entry a seat, with the time until which it is theirs."""
    rows = await conn.execute(
        """
        SELECT w.*, r.expires_at
        FROM unnest(%s::uuid[], %s::int[], %s::timestamptz[]) AS r (cohort_id, seats, expires_at),
        LATERAL (
            SELECT id, cohort_id, person_id, priority, waived, status, joined_at, ended_at
            FROM waitlist_entries WHERE cohort_id = r.cohort_id AND status = 'waiting'
            ORDER BY priority DESC, joined_at, id LIMIT r.seats
        ) AS w
        """,
        [
            [room.cohort_id for room in rooms],
            [room.seats for room in rooms],
            [room.expires_at for room in rooms],
        ],
    )
    found = [(row, row.pop("expires_at")) for row in await rows.fetchall()]
    return [(WaitlistEntry(**row), expires_at) for row, expires_at in found]


async def mark_offered(conn: Connection, entry_ids: Collection[EntryId]) -> None:
    """Note that entries have an offer."""
    await conn.execute(
        "UPDATE waitlist_entries SET status = 'offered' WHERE id = ANY(%s)", [list(entry_ids)]
    )


async def end_entries(
    conn: Connection, entry_ids: Collection[EntryId], status: EntryStatus, *, at: datetime
) -> None:
    """Write how waiting ended."""
    await conn.execute(
        "UPDATE waitlist_entries SET status = %s, ended_at = %s WHERE id = ANY(%s)",
        [status, at, list(entry_ids)],
    )


async def has_open_entries(conn: Connection, cohort_id: CohortId) -> bool:
    """Say whether anybody waits for a cohort or has an offer."""
    rows = await conn.execute(
        "SELECT EXISTS (SELECT 1 FROM waitlist_entries WHERE cohort_id = %s "
        "AND status IN ('waiting', 'offered')) AS found",
        [cohort_id],
    )
    row = await rows.fetchone()
    return bool(row and row["found"])


async def select_queue(
    conn: Connection, cohort_id: CohortId, *, after: tuple[int, datetime, UUID] | None, limit: int
) -> list[WaitlistEntry]:
    """Return who waits or has an offer, in their order.

    Args:
        after: (priority, joined_at, id) of the last one seen.
    """
    priority, at, last = after or (None, None, None)
    further = (
        "AND w.priority <= %(priority)s "
        "AND (w.priority < %(priority)s OR (w.joined_at, w.id) > (%(at)s, %(last)s)) "
    )
    async with conn.cursor(row_factory=class_row(WaitlistEntry)) as cursor:
        await cursor.execute(
            f"{_ENTRY} WHERE w.cohort_id = %(cohort)s AND w.status IN ('waiting', 'offered') "
            f"{further if after else ''}"
            "ORDER BY w.priority DESC, w.joined_at, w.id LIMIT %(limit)s",
            {"cohort": cohort_id, "priority": priority, "at": at, "last": last, "limit": limit},
        )
        return await cursor.fetchall()


async def select_waiting_of(
    conn: Connection, person_id: PersonId, *, at: datetime, limit: int = 50
) -> list[Waiting]:
    """Return what a person waits for, the latest first."""
    rows = await conn.execute(
        """
        SELECT c.code, k.title_es, k.title_en, h.expires_at, CASE w.status WHEN 'offered' THEN 0
            ELSE (SELECT count(*) FROM waitlist_entries o
                WHERE o.cohort_id = w.cohort_id AND o.status = 'waiting'
                AND (-o.priority, o.joined_at, o.id) < (-w.priority, w.joined_at, w.id))
            END AS ahead
        FROM waitlist_entries w
        JOIN cohorts c ON c.id = w.cohort_id JOIN courses k ON k.code = c.course_code
        LEFT JOIN seat_holds h ON h.entry_id = w.id AND h.status = 'live' AND h.expires_at > %(at)s
        WHERE w.person_id = %(person)s AND w.status IN ('waiting', 'offered')
        ORDER BY w.joined_at DESC, w.id DESC LIMIT %(limit)s
        """,
        {"person": person_id, "at": at, "limit": limit},
    )
    return [
        Waiting(
            cohort_code=row["code"],
            course_title=Bilingual(row["title_es"], row["title_en"]),
            ahead=row["ahead"],
            offer_until=row["expires_at"],
        )
        for row in await rows.fetchall()
    ]


async def _one(conn: Connection, where: str, values: dict[str, object]) -> WaitlistEntry | None:
    async with conn.cursor(row_factory=class_row(WaitlistEntry)) as cursor:
        await cursor.execute(f"{_ENTRY} {where}", values)
        return await cursor.fetchone()
