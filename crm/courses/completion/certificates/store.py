"""All the SQL of certificates."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from crm.courses.completion.certificates.models import Certificate, SealedCertificate
from crm.courses.models import Bilingual
from crm.db import Connection
from crm.ids import PersonId, StaffId
from crm.paging import equal, newest_first


async def select_name(conn: Connection, person_id: PersonId) -> str | None:
    """Return a person's name as it is now."""
    rows = await conn.execute("SELECT full_name FROM people WHERE id = %s", [person_id])
    row = await rows.fetchone()
    return row["full_name"] if row else None


async def insert_certificate(conn: Connection, sealed: SealedCertificate) -> bool:
    """Add a certificate; False when its number is taken, or the enrolment has a valid one."""
    made = sealed.certificate
    result = await conn.execute(
        """
        INSERT INTO certificates (number, enrolment_id, person_id, subject_id, holder, course_code,
            title_es, title_en, hours, starts_on, ends_on, issued_on, issued_at, signature)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        [
            *(made.number, made.enrolment_id, made.person_id, sealed.subject_id, sealed.holder),
            *(made.course_code, made.title.es, made.title.en, made.hours, made.starts_on),
            *(made.ends_on, made.issued_on, made.issued_at, sealed.signature),
        ],
    )
    return result.rowcount == 1


async def select_certificate(
    conn: Connection, number: str, *, lock: bool = False
) -> SealedCertificate | None:
    """Return a certificate by its number."""
    rows = await conn.execute(
        f"SELECT * FROM certificates WHERE number = %s{' FOR UPDATE' if lock else ''}",  # noqa: S608
        [number],
    )
    row = await rows.fetchone()
    return _sealed_of(row) if row else None


async def select_valid(conn: Connection, enrolment_id: UUID) -> SealedCertificate | None:
    """Return the certificate of an enrolment that counts."""
    rows = await conn.execute(
        "SELECT * FROM certificates WHERE enrolment_id = %s AND revoked_at IS NULL",
        [enrolment_id],
    )
    row = await rows.fetchone()
    return _sealed_of(row) if row else None


async def select_certificates(
    conn: Connection,
    filters: Mapping[str, object],
    *,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[SealedCertificate]:
    """Return certificates, newest first.

    Args:
        filters: any of `person_id`, `course_code`.
        after: (issued_at, number) of the last one seen.
    """
    page, values = newest_first(
        filters,
        equal("person_id", "course_code"),
        keys=("issued_at", "number"),
        after=after,
        limit=limit,
    )
    rows = await conn.execute(f"SELECT * FROM certificates {page}", values)  # noqa: S608 (constants)
    return [_sealed_of(r) for r in await rows.fetchall()]


async def revoke(
    conn: Connection, number: str, *, reason: str, staff_id: StaffId | None, at: datetime
) -> Certificate:
    """Note that a certificate no longer counts."""
    rows = await conn.execute(
        "UPDATE certificates SET revoked_at = %s, revoked_for = %s, revoked_by = %s "
        "WHERE number = %s RETURNING *",
        [at, reason, staff_id, number],
    )
    return _sealed_of((await rows.fetchall())[0]).certificate


def _sealed_of(row: DictRow) -> SealedCertificate:
    certificate = Certificate(
        number=row["number"],
        enrolment_id=row["enrolment_id"],
        person_id=PersonId(row["person_id"]),
        course_code=row["course_code"],
        title=Bilingual(row["title_es"], row["title_en"]),
        hours=row["hours"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        issued_on=row["issued_on"],
        issued_at=row["issued_at"],
        revoked_at=row["revoked_at"],
        revoked_for=row["revoked_for"],
    )
    return SealedCertificate(certificate, row["subject_id"], row["holder"], row["signature"])
