"""All the SQL of appointments and of the hours that advisors offer."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.errors import ExclusionViolation
from psycopg.rows import DictRow, class_row

from crm.business_hours import read_week, write_week
from crm.db import Connection
from crm.errors import Conflict
from crm.facts import facts_of
from crm.ids import PersonId, StaffId
from crm.paging import equal, oldest_first
from crm.support.appointments.models import (
    AdvisorHours,
    Appointment,
    AppointmentFilters,
    AppointmentId,
)

_COLUMNS = (
    "id, person_id, staff_id, topic, mode, starts_at, ends_at, status, cancel_reason, version, "
    "created_at, updated_at, closed_at"
)
_FILTERS = equal("staff_id", "person_id", "status") | {
    "starts_from": "starts_at >= %(starts_from)s",
    "starts_before": "starts_at < %(starts_before)s",
}
_HOURS = "h.staff_id, h.week, h.slot_minutes, h.modes"


async def insert_appointment(
    conn: Connection, appointment: Appointment, effect_key: str | None
) -> bool:
    """Add an appointment; False when the advisor or the person is taken then, or it was added."""
    names = [name.strip() for name in _COLUMNS.split(",")]
    rows = await conn.execute(
        f"INSERT INTO appointments (effect_key, {_COLUMNS}) "  # noqa: S608 (constant columns)
        f"VALUES (%(effect_key)s, {', '.join(f'%({n})s' for n in names)}) ON CONFLICT DO NOTHING",
        {**facts_of(appointment), "effect_key": effect_key},
    )
    return rows.rowcount == 1


async def select_appointment(
    conn: Connection,
    appointment_id: AppointmentId | None = None,
    *,
    effect_key: str | None = None,
    owner: PersonId | None = None,
    lock: bool = False,
) -> Appointment | None:
    """Return an appointment by its id, or by the effect that booked it.

    Args:
        owner: of somebody else's nothing is returned.
    """
    by_id = appointment_id is not None
    async with conn.cursor(row_factory=class_row(Appointment)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM appointments WHERE "  # noqa: S608 (constant columns)
            + ("id = %(sought)s" if by_id else "effect_key = %(sought)s")
            + (" AND person_id = %(owner)s" if owner else "")
            + (" FOR NO KEY UPDATE" if lock else ""),
            {"sought": appointment_id if by_id else effect_key, "owner": owner},
        )
        return await cursor.fetchone()


async def update_appointment(
    conn: Connection, appointment_id: AppointmentId, changes: Mapping[str, Any]
) -> Appointment:
    """Write the changed columns and count the version up; the row is locked by the caller.

    Raises: Conflict("appointment.taken"): the advisor or the person is taken then.
    """
    sets = [sql.SQL("{} = {}").format(sql.Identifier(n), sql.Placeholder(n)) for n in changes]
    statement = sql.SQL(
        "UPDATE appointments SET {sets}, version = version + 1 WHERE id = %(_id)s "
        "RETURNING {columns}"
    ).format(sets=sql.SQL(", ").join(sets), columns=sql.SQL(_COLUMNS))
    try:
        async with conn.transaction(), conn.cursor(row_factory=class_row(Appointment)) as cursor:
            await cursor.execute(statement, {**changes, "_id": appointment_id})
            row = await cursor.fetchone()
    except ExclusionViolation as taken:
        raise Conflict(
            "appointment.taken", "Somebody else was faster: this time is taken."
        ) from taken
    assert row is not None, "the caller holds the row's lock"  # noqa: S101
    return row


async def select_appointments(
    conn: Connection,
    filters: AppointmentFilters,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Appointment]:
    """Return the appointments that match, the earliest first, after (starts_at, id)."""
    page, values = oldest_first(
        facts_of(filters), _FILTERS, keys=("starts_at", "id"), after=after, limit=limit
    )
    async with conn.cursor(row_factory=class_row(Appointment)) as cursor:
        await cursor.execute(f"SELECT {_COLUMNS} FROM appointments {page}", values)  # noqa: S608
        return await cursor.fetchall()


async def count_ahead(conn: Connection, person_id: PersonId, *, now: datetime) -> int:
    """Return how many appointments a person has ahead of them."""
    rows = await conn.execute(
        "SELECT count(*) AS ahead FROM appointments "
        "WHERE person_id = %s AND status = 'booked' AND starts_at > %s",
        [person_id, now],
    )
    (row,) = await rows.fetchall()
    return int(row["ahead"])


async def select_taken(
    conn: Connection, *, since: datetime, until: datetime
) -> dict[StaffId, list[tuple[datetime, datetime]]]:
    """Return by advisor what is booked and touches this time."""
    rows = await conn.execute(
        "SELECT staff_id, starts_at, ends_at FROM appointments WHERE status = 'booked' "
        "AND starts_at BETWEEN %(since)s::timestamptz - interval '4 hours' AND %(until)s",
        {"since": since, "until": until},
    )
    taken: dict[StaffId, list[tuple[datetime, datetime]]] = {}
    for row in await rows.fetchall():
        taken.setdefault(row["staff_id"], []).append((row["starts_at"], row["ends_at"]))
    return taken


async def upsert_hours(conn: Connection, hours: AdvisorHours, *, at: datetime) -> None:
    """Set the hours that an advisor offers."""
    await conn.execute(
        "INSERT INTO advisor_hours (staff_id, week, slot_minutes, modes, updated_at) "
        "VALUES (%(staff_id)s, %(week)s, %(slot)s, %(modes)s, %(at)s) "
        "ON CONFLICT (staff_id) DO UPDATE SET week = excluded.week, "
        "slot_minutes = excluded.slot_minutes, modes = excluded.modes, updated_at = %(at)s",
        {
            "staff_id": hours.staff_id,
            "week": write_week(hours.week),
            "slot": hours.slot // timedelta(minutes=1),
            "modes": sorted(hours.modes),
            "at": at,
        },
    )


async def delete_hours(conn: Connection, staff_id: StaffId) -> bool:
    """Let an advisor offer nothing; False when that is how it was."""
    rows = await conn.execute("DELETE FROM advisor_hours WHERE staff_id = %s", [staff_id])
    return rows.rowcount == 1


async def select_hours(conn: Connection, staff_id: StaffId | None = None) -> Sequence[AdvisorHours]:
    """Return what the advisors on duty offer, or one of them."""
    rows = await conn.execute(
        f"SELECT {_HOURS} FROM advisor_hours h JOIN staff s ON s.id = h.staff_id "  # noqa: S608
        "WHERE s.active AND s.role <> 'service' "
        "AND (%(staff_id)s::uuid IS NULL OR h.staff_id = %(staff_id)s) ORDER BY h.staff_id",
        {"staff_id": staff_id},
    )
    return [_hours(row) for row in await rows.fetchall()]


def _hours(row: DictRow) -> AdvisorHours:
    return AdvisorHours(
        staff_id=row["staff_id"],
        week=read_week(row["week"]),
        slot=timedelta(minutes=row["slot_minutes"]),
        modes=frozenset(row["modes"]),
    )


async def select_own_advisor(conn: Connection, person_id: PersonId) -> StaffId | None:
    """Return who looks after a person's latest open lead, if anybody does."""
    rows = await conn.execute(
        "SELECT staff_id FROM leads WHERE person_id = %s AND staff_id IS NOT NULL "
        "AND stage NOT IN ('enrolled', 'lost') ORDER BY created_at DESC, id DESC LIMIT 1",
        [person_id],
    )
    row = await rows.fetchone()
    return row["staff_id"] if row else None
