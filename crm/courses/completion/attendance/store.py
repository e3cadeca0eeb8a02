"""All the SQL of attendance."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from crm.courses.completion.attendance.models import Enrolled, Mark, SessionMark
from crm.courses.models import CohortId
from crm.db import Connection
from crm.ids import StaffId


async def lock_open(
    conn: Connection, cohort_id: CohortId, enrolment_ids: Sequence[UUID]
) -> dict[UUID, str]:
    """Return the states of these enrolments of a cohort, which nobody changes meanwhile."""
    rows = await conn.execute(
        "SELECT id, status FROM enrolments WHERE id = ANY(%s) AND cohort_id = %s "
        "ORDER BY id FOR NO KEY UPDATE",
        [list(enrolment_ids), cohort_id],
    )
    return {r["id"]: r["status"] for r in await rows.fetchall()}


async def upsert_marks(
    conn: Connection, marks: Sequence[SessionMark], *, staff_id: StaffId | None, at: datetime
) -> int:
    """Write marks, new or changed; returns how many differ from before."""
    result = await conn.execute(
        """
        INSERT INTO attendance (enrolment_id, session_on, mark, marked_by, marked_at)
        SELECT e, s, m, %(staff)s, %(at)s
        FROM unnest(%(enrolments)s::uuid[], %(sessions)s::date[], %(marks)s::text[]) AS n (e, s, m)
        ON CONFLICT (enrolment_id, session_on) DO UPDATE
        SET mark = excluded.mark, marked_by = excluded.marked_by, marked_at = excluded.marked_at
        WHERE attendance.mark <> excluded.mark
        """,
        {
            "staff": staff_id,
            "at": at,
            "enrolments": [m.enrolment_id for m in marks],
            "sessions": [m.session_on for m in marks],
            "marks": [m.mark for m in marks],
        },
    )
    return result.rowcount


async def select_marks(
    conn: Connection, enrolment_ids: Sequence[UUID]
) -> dict[UUID, dict[date, Mark]]:
    """Return the marks of enrolments by session, in order; enrolments without any left out."""
    rows = await conn.execute(
        "SELECT enrolment_id, session_on, mark FROM attendance WHERE enrolment_id = ANY(%s) "
        "ORDER BY enrolment_id, session_on",
        [list(enrolment_ids)],
    )
    found: dict[UUID, dict[date, Mark]] = {}
    for row in await rows.fetchall():
        found.setdefault(row["enrolment_id"], {})[row["session_on"]] = row["mark"]
    return found


async def select_enrolled(
    conn: Connection, cohort_id: CohortId, *, after: UUID | None, limit: int
) -> list[Enrolled]:
    """Return who is enrolled in a cohort, by enrolment."""
    rows = await conn.execute(
        "SELECT id, person_id, status FROM enrolments WHERE cohort_id = %(cohort)s "
        "AND status IN ('confirmed', 'completed') "
        "AND (%(after)s::uuid IS NULL OR id > %(after)s) ORDER BY id LIMIT %(limit)s",
        {"cohort": cohort_id, "after": after, "limit": limit},
    )
    return [Enrolled(**row) for row in await rows.fetchall()]
