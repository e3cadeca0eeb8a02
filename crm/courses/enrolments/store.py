"""All the SQL of enrolments."""

from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from crm.courses.enrolments.models import (
    Enrolment,
    EnrolmentFilters,
    EnrolmentId,
    EnrolmentStatus,
    Standing,
)
from crm.courses.models import Cohort, CohortId
from crm.courses.seats.models import HoldId
from crm.db import Connection
from crm.ids import PersonId

_ENROLMENT = """
    SELECT e.id, e.person_id, e.cohort_id, c.course_code, e.status, e.hold_id, e.transferred_from,
        e.confirmed_at, e.ended_at
    FROM enrolments e JOIN cohorts c ON c.id = e.cohort_id
"""


async def insert_enrolment(conn: Connection, enrolment: Enrolment) -> None:
    """Add an enrolment; the caller has the cohort's lock and counted its seats."""
    await conn.execute(
        "INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at, hold_id, "
        "transferred_from) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [
            enrolment.id,
            enrolment.person_id,
            enrolment.cohort_id,
            enrolment.status,
            enrolment.confirmed_at,
            enrolment.hold_id,
            enrolment.transferred_from,
        ],
    )


async def select_enrolment(
    conn: Connection, enrolment_id: EnrolmentId, *, owner: PersonId | None = None
) -> Enrolment | None:
    """Return an enrolment; `owner` is the student who asks, None for staff."""
    return await _one(
        conn,
        "WHERE e.id = %(id)s AND (%(owner)s::uuid IS NULL OR e.person_id = %(owner)s)",
        {"id": enrolment_id, "owner": owner},
    )


async def select_by_hold(conn: Connection, hold_id: HoldId) -> Enrolment | None:
    """Return the enrolment that a hold became."""
    return await _one(conn, "WHERE e.hold_id = %(id)s", {"id": hold_id})


async def select_successor(conn: Connection, enrolment_id: EnrolmentId) -> Enrolment | None:
    """Return the enrolment that replaced another."""
    return await _one(conn, "WHERE e.transferred_from = %(id)s", {"id": enrolment_id})


async def end_enrolment(
    conn: Connection, enrolment_id: EnrolmentId, status: EnrolmentStatus, *, at: datetime
) -> None:
    """Write how an enrolment ended."""
    await conn.execute(
        "UPDATE enrolments SET status = %s, ended_at = %s WHERE id = %s",
        [status, at, enrolment_id],
    )


async def lock_course_of_person(conn: Connection, person_id: PersonId, course_code: str) -> None:
    """Let one transaction at a time take seats of a course, in whichever cohorts, for a person."""
    await conn.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
        [f"seats:{person_id}:{course_code}"],
    )


async def select_standing(
    conn: Connection, person_id: PersonId, cohort: Cohort, *, at: datetime
) -> Standing | None:
    """Return how a person stands to a cohort and its course; None for nobody.

    No merge and no erasure comes in between until this transaction ends.
    """
    async with conn.cursor(row_factory=class_row(Standing)) as cursor:
        await cursor.execute(
            """
            SELECT p.status = 'active' AS active,
                p.birth_date, p.time_zone, p.guardian_id IS NOT NULL AS guarded, EXISTS (
                SELECT 1 FROM enrolments e JOIN cohorts c ON c.id = e.cohort_id
                WHERE e.person_id = p.id AND (
                    e.cohort_id = %(cohort)s AND e.status IN ('confirmed', 'completed')
                    OR c.course_code = %(course)s AND e.status = 'confirmed')
            ) AS enrolled, EXISTS (
                SELECT 1 FROM seat_holds h JOIN cohorts c ON c.id = h.cohort_id
                WHERE h.person_id = p.id AND h.status = 'live' AND h.expires_at > %(at)s
                AND h.effect_key IS NOT NULL AND h.cohort_id <> %(cohort)s
                AND c.course_code = %(course)s
            ) AS enrolling, ARRAY(
                SELECT r.prerequisite_code FROM course_prerequisites r
                WHERE r.course_code = %(course)s AND NOT EXISTS (
                    SELECT 1 FROM enrolments e JOIN cohorts c ON c.id = e.cohort_id
                    WHERE e.person_id = p.id AND e.status = 'completed'
                    AND c.course_code = r.prerequisite_code)
                ORDER BY r.prerequisite_code
            ) AS missing
            FROM people p WHERE p.id = %(person)s FOR KEY SHARE OF p
            """,
            {"person": person_id, "cohort": cohort.id, "course": cohort.course_code, "at": at},
        )
        return await cursor.fetchone()


async def keeps_seat(conn: Connection, person_id: PersonId, cohort_id: CohortId) -> bool:
    """Say whether a person has a seat in a cohort."""
    rows = await conn.execute(
        "SELECT EXISTS (SELECT 1 FROM enrolments WHERE person_id = %s AND cohort_id = %s "
        "AND status IN ('confirmed', 'completed')) AS found",
        [person_id, cohort_id],
    )
    row = await rows.fetchone()
    return bool(row and row["found"])


async def select_enrolments(
    conn: Connection,
    filters: EnrolmentFilters,
    *,
    owner: PersonId | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Enrolment]:
    """Return enrolments, newest first.

    Args:
        owner: the student who asks; they find only their own. None for staff.
        after: (confirmed_at, id) of the last one seen.
    """
    at, last = after or (None, None)
    wanted = {
        "e.cohort_id = %(cohort)s": filters.cohort_id,
        "e.person_id = %(person)s": filters.person_id,
        "e.status = %(status)s": filters.status,
        "e.person_id = %(owner)s": owner,
        "(e.confirmed_at, e.id) < (%(at)s, %(last)s)": after,
    }
    clauses = [clause for clause, given in wanted.items() if given is not None]
    where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
    async with conn.cursor(row_factory=class_row(Enrolment)) as cursor:
        await cursor.execute(
            f"{_ENROLMENT} {where} ORDER BY e.confirmed_at DESC, e.id DESC LIMIT %(limit)s",
            {
                "cohort": filters.cohort_id,
                "person": filters.person_id,
                "status": filters.status,
                "owner": owner,
                "at": at,
                "last": last,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def _one(conn: Connection, where: str, values: dict[str, object]) -> Enrolment | None:
    async with conn.cursor(row_factory=class_row(Enrolment)) as cursor:
        await cursor.execute(f"{_ENROLMENT} {where}", values)
        return await cursor.fetchone()


async def count_enrolments(conn: Connection) -> int:
    """Return how many seats are kept."""
    rows = await conn.execute(
        "SELECT count(*) AS n FROM enrolments WHERE status IN ('confirmed', 'completed')"
    )
    row = await rows.fetchone()
    return int(row["n"]) if row else 0


async def select_taken(
    conn: Connection, *, until: datetime, most: int
) -> list[tuple[list[str], list[str]]]:
    """Return what people took, two lists of course codes a person; nothing says whose.

    Args:
        until: the first list holds what was taken by then, the second what was taken since.
        most: people, those who enrolled last.
    """
    rows = await conn.execute(
        """
        SELECT coalesce(array_agg(DISTINCT c.course_code ORDER BY c.course_code)
                FILTER (WHERE e.confirmed_at <= %s), '{}') AS before,
            coalesce(array_agg(DISTINCT c.course_code ORDER BY c.course_code)
                FILTER (WHERE e.confirmed_at > %s), '{}') AS since
        FROM enrolments e JOIN cohorts c ON c.id = e.cohort_id
        WHERE e.status IN ('confirmed', 'completed')
        GROUP BY e.person_id ORDER BY max(e.confirmed_at) DESC LIMIT %s
        """,
        [until, until, most],
    )
    return [(row["before"], row["since"]) for row in await rows.fetchall()]
