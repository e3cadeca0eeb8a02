"""All the SQL of completing an enrolment."""

from datetime import datetime
from uuid import UUID

from crm.courses.completion.models import Studies
from crm.courses.models import Bilingual, CohortId
from crm.db import Connection
from crm.ids import PersonId


async def select_studies(
    conn: Connection, enrolment_id: UUID, *, owner: PersonId | None = None, lock: bool = False
) -> Studies | None:
    """Return an enrolment with what its completion rests on; with an owner only theirs.

    Args:
        lock: keep others from changing the enrolment until this transaction ends.
    """
    rows = await conn.execute(
        f"""
        SELECT e.id, e.person_id, e.cohort_id, e.status, e.ended_at, h.starts_on, h.ends_on,
            h.days, c.code, c.title_es, c.title_en, c.hours, c.certificate
        FROM enrolments e
        JOIN cohorts h ON h.id = e.cohort_id JOIN courses c ON c.code = h.course_code
        WHERE e.id = %(id)s AND (%(owner)s::uuid IS NULL OR e.person_id = %(owner)s)
        {"FOR NO KEY UPDATE OF e" if lock else ""}
        """,  # noqa: S608 (the lock is a constant)
        {"id": enrolment_id, "owner": owner},
    )
    row = await rows.fetchone()
    if row is None:
        return None
    return Studies(
        enrolment_id=row["id"],
        person_id=PersonId(row["person_id"]),
        cohort_id=CohortId(row["cohort_id"]),
        status=row["status"],
        ended_at=row["ended_at"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        days=tuple(row["days"]),
        course_code=row["code"],
        title=Bilingual(row["title_es"], row["title_en"]),
        hours=row["hours"],
        gives_certificate=row["certificate"],
    )


async def complete(conn: Connection, enrolment_id: UUID, *, at: datetime) -> None:
    """Note that an enrolment is completed."""
    await conn.execute(
        "UPDATE enrolments SET status = 'completed', ended_at = %s WHERE id = %s",
        [at, enrolment_id],
    )
