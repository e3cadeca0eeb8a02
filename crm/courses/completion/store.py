"""All the SQL of completing an enrolment."""

from datetime import datetime
from uuid import UUID

from crm.courses.completion.models import Studies
from crm.courses.models import Bilingual, CohortId
from crm.db import Connection
from crm.ids import PersonId

#: Whether something is still owed for enrolment `e`, or for the one it was transferred from.
_OWES = """EXISTS (
    WITH RECURSIVE chain AS (
        SELECT e.id, e.transferred_from
        UNION ALL
        SELECT o.id, o.transferred_from FROM enrolments o JOIN chain n ON o.id = n.transferred_from
    )
    SELECT 1 FROM chain n JOIN sagas s ON s.enrolment_id = n.id
    JOIN invoices i ON i.id = s.invoice_id WHERE i.next_due_on IS NOT NULL
)"""


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
            h.days, c.code, c.title_es, c.title_en, c.hours, c.certificate, {_OWES} AS owes
        FROM enrolments e
        JOIN cohorts h ON h.id = e.cohort_id JOIN courses c ON c.code = h.course_code
        WHERE e.id = %(id)s AND (%(owner)s::uuid IS NULL OR e.person_id = %(owner)s)
        {"FOR NO KEY UPDATE OF e" if lock else ""}
        """,  # noqa: S608 (constants)
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
        owes=row["owes"],
    )


async def select_uncertified(conn: Connection, invoice_id: UUID) -> list[UUID]:
    """Return completed enrolments of an invoice that never had the certificate they give."""
    rows = await conn.execute(
        """
        WITH RECURSIVE chain AS (
            SELECT e.id FROM enrolments e JOIN sagas s ON s.enrolment_id = e.id
            WHERE s.invoice_id = %s
            UNION
            SELECT o.id FROM enrolments o JOIN chain n ON o.transferred_from = n.id
        )
        SELECT e.id FROM chain n JOIN enrolments e ON e.id = n.id
        JOIN people p ON p.id = e.person_id AND p.status <> 'erased'
        JOIN cohorts h ON h.id = e.cohort_id JOIN courses c ON c.code = h.course_code
        WHERE e.status = 'completed' AND c.certificate
            AND NOT EXISTS (SELECT 1 FROM certificates WHERE enrolment_id = e.id)
        """,
        [invoice_id],
    )
    return [row["id"] for row in await rows.fetchall()]


async def complete(conn: Connection, enrolment_id: UUID, *, at: datetime) -> None:
    """Note that an enrolment is completed."""
    await conn.execute(
        "UPDATE enrolments SET status = 'completed', ended_at = %s WHERE id = %s",
        [at, enrolment_id],
    )
