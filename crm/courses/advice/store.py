"""All the SQL of what advice on courses stands on."""

from datetime import date, datetime
from uuid import UUID

from crm.courses.advice.models import RunningClass, StudyRecord
from crm.courses.models import Bilingual, CourseRef, Schedule
from crm.db import Connection
from crm.ids import PersonId, new_id


async def select_record(
    conn: Connection, person_id: PersonId | None, *, conversation_id: UUID | None, today: date
) -> StudyRecord:
    """Return what is known of a person, of a visitor what their conversation says.

    Args:
        today: classes that ended before run no more.
    """
    rows = await conn.execute(
        """
        SELECT ARRAY(SELECT DISTINCT c.course_code FROM enrolments e
                JOIN cohorts c ON c.id = e.cohort_id
                WHERE e.person_id = %(person)s AND e.status = 'completed') AS completed,
            ARRAY(SELECT DISTINCT c.course_code FROM enrolments e
                JOIN cohorts c ON c.id = e.cohort_id
                WHERE e.person_id = %(person)s AND e.status = 'confirmed') AS current,
            ARRAY(SELECT course_code FROM course_dismissals WHERE person_id = %(person)s
                UNION SELECT course_code FROM course_dismissals
                WHERE conversation_id = %(conversation)s) AS refused,
            ARRAY(SELECT course_code FROM leads
                WHERE person_id = %(person)s AND course_code IS NOT NULL
                AND stage NOT IN ('enrolled', 'lost')
                ORDER BY last_activity_at DESC LIMIT 5) AS asked_about
        """,
        {"person": person_id, "conversation": conversation_id},
    )
    row = await rows.fetchone()
    assert row is not None, "a query without FROM has one row"  # noqa: S101
    return StudyRecord(
        completed=frozenset(row["completed"]),
        current=frozenset(row["current"]),
        classes=await _select_classes(conn, person_id, today=today) if row["current"] else (),
        refused=frozenset(row["refused"]),
        asked_about=tuple(dict.fromkeys(row["asked_about"])),
    )


async def _select_classes(
    conn: Connection, person_id: PersonId | None, *, today: date
) -> tuple[RunningClass, ...]:
    rows = await conn.execute(
        """
        SELECT c.course_code, k.title_es, k.title_en, c.starts_on, c.ends_on, c.days,
            c.start_time, c.end_time
        FROM enrolments e JOIN cohorts c ON c.id = e.cohort_id JOIN courses k
            ON k.code = c.course_code
        WHERE e.person_id = %s AND e.status = 'confirmed' AND c.ends_on >= %s
        """,
        [person_id, today],
    )
    return tuple(
        RunningClass(
            CourseRef(r["course_code"], Bilingual(r["title_es"], r["title_en"])),
            r["starts_on"],
            r["ends_on"],
            Schedule(tuple(r["days"]), r["start_time"], r["end_time"]),
        )
        for r in await rows.fetchall()
    )


async def insert_dismissal(
    conn: Connection,
    course_code: str,
    *,
    person_id: PersonId | None,
    conversation_id: UUID | None,
    at: datetime,
) -> None:
    """Remember that a course is not wanted; a second time changes nothing.

    Args:
        person_id: once known; else the conversation alone remembers.
    """
    await conn.execute(
        "INSERT INTO course_dismissals (id, course_code, person_id, conversation_id, dismissed_at) "
        "VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [new_id(), course_code, person_id, None if person_id else conversation_id, at],
    )


async def delete_dismissals(
    conn: Connection,
    course_code: str,
    *,
    person_id: PersonId | None,
    conversation_id: UUID | None,
) -> None:
    """Forget that a course was not wanted, by whichever of the two it was remembered."""
    await conn.execute(
        "DELETE FROM course_dismissals "
        "WHERE course_code = %s AND (person_id = %s OR conversation_id = %s)",
        [course_code, person_id, conversation_id],
    )
