"""All the SQL of applications for scholarships."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from crm.courses.fees.applications.models import Application, ApplicationStatus
from crm.courses.fees.models import ApplicationId
from crm.db import Connection
from crm.ids import PersonId, StaffId
from crm.paging import equal, newest_first

_APPLICATION = (
    "id, scholarship_code, person_id, status, requested_at, decided_at, decided_by"  # not the texts
)


async def insert_application(
    conn: Connection, application: Application, *, statement: bytes
) -> bool:
    """Add an application; False when the person has an open one for this scholarship.

    Args:
        statement: sealed under the person's key.
    """
    result = await conn.execute(
        """
        INSERT INTO scholarship_applications
            (id, scholarship_code, person_id, subject_id, status, statement, requested_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        [
            application.id,
            application.scholarship_code,
            application.person_id,
            application.person_id,
            application.status,
            statement,
            application.requested_at,
        ],
    )
    return result.rowcount == 1


async def select_application(
    conn: Connection, application_id: UUID, *, owner: PersonId | None, lock: bool = False
) -> Application | None:
    """Return an application; with an owner only theirs."""
    rows = await conn.execute(
        f"SELECT {_APPLICATION} FROM scholarship_applications WHERE id = %(id)s "  # noqa: S608
        "AND (%(owner)s::uuid IS NULL OR person_id = %(owner)s)"
        f"{' FOR UPDATE' if lock else ''}",
        {"id": application_id, "owner": owner},
    )
    row = await rows.fetchone()
    return _application_of(row) if row else None


async def select_texts(
    conn: Connection, application_id: ApplicationId
) -> tuple[UUID, bytes, bytes | None]:
    """Return whose key seals an application's texts, its statement and its answer."""
    rows = await conn.execute(
        "SELECT subject_id, statement, answer FROM scholarship_applications WHERE id = %s",
        [application_id],
    )
    row = (await rows.fetchall())[0]
    return row["subject_id"], row["statement"], row["answer"]


async def select_applications(
    conn: Connection,
    filters: Mapping[str, object],
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Application]:
    """Return applications, newest first.

    Args:
        filters: any of `scholarship_code`, `person_id`, `status`.
        after: (requested_at, id) of the last one seen.
    """
    page, values = newest_first(
        filters,
        equal("scholarship_code", "person_id", "status"),
        keys=("requested_at", "id"),
        after=after,
        limit=limit,
    )
    rows = await conn.execute(f"SELECT {_APPLICATION} FROM scholarship_applications {page}", values)  # noqa: S608 (constants)
    return [_application_of(r) for r in await rows.fetchall()]


async def decide_application(
    conn: Connection,
    application_id: ApplicationId,
    status: ApplicationStatus,
    *,
    answer: bytes,
    staff_id: StaffId | None,
    at: datetime,
) -> Application:
    """Write what staff decided.

    Args:
        answer: sealed under the key of whoever applied.
    """
    rows = await conn.execute(
        "UPDATE scholarship_applications SET status = %s, answer = %s, decided_by = %s, "  # noqa: S608
        f"decided_at = %s WHERE id = %s RETURNING {_APPLICATION}",
        [status, answer, staff_id, at, application_id],
    )
    return _application_of((await rows.fetchall())[0])


async def update_status(
    conn: Connection, application_id: ApplicationId, status: ApplicationStatus
) -> None:
    """Write an award's state."""
    await conn.execute(
        "UPDATE scholarship_applications SET status = %s WHERE id = %s", [status, application_id]
    )


async def lock_application(conn: Connection, application_id: ApplicationId) -> None:
    """Keep others from changing an application until this transaction ends."""
    await conn.execute(
        "SELECT 1 FROM scholarship_applications WHERE id = %s FOR UPDATE", [application_id]
    )


async def lock_award(
    conn: Connection, *, scholarship_code: str, person_id: PersonId
) -> ApplicationId | None:
    """Return a person's award of a scholarship, with nobody else using it meanwhile."""
    rows = await conn.execute(
        "SELECT id FROM scholarship_applications WHERE scholarship_code = %s AND person_id = %s "
        "AND status = 'awarded' FOR UPDATE",
        [scholarship_code, person_id],
    )
    row = await rows.fetchone()
    return ApplicationId(row["id"]) if row else None


async def is_in_use(conn: Connection, application_id: ApplicationId) -> bool:
    """Say whether a quote that stands rests on an award."""
    rows = await conn.execute(
        "SELECT 1 FROM quotes WHERE application_id = %s AND status IN ('live', 'accepted')",
        [application_id],
    )
    return await rows.fetchone() is not None


def _application_of(row: DictRow) -> Application:
    return Application(**row)
