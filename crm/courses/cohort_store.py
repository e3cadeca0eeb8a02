"""All the SQL of cohorts and the seats that are left in them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from crm.courses.commands import CreateCohort
from crm.courses.models import Cohort, CohortId, Schedule
from crm.db import Connection
from crm.ids import new_id
from crm.money import Money

_COHORT = """
    SELECT c.*, e.taken, h.held FROM cohorts c, LATERAL (
        SELECT count(*) AS taken FROM enrolments
        WHERE cohort_id = c.id AND status IN ('confirmed', 'completed')
    ) AS e, LATERAL (
        SELECT count(*) AS held FROM seat_holds
        WHERE cohort_id = c.id AND status = 'live' AND expires_at > %(at)s
    ) AS h
"""
_ENROLLABLE = (
    "c.status = 'open' AND c.enrolment_closes >= %(today)s "
    "AND c.seats - c.blocked_seats - e.taken - h.held > 0"
)


async def select_cohorts(
    conn: Connection,
    filters: Mapping[str, object],
    *,
    today: date,
    at: datetime,
    after: tuple[date, UUID] | None,
    limit: int,
) -> list[Cohort]:
    """Return cohorts by their start.

    Args:
        filters: any of `course_code`, `modality`, `starts_after`, `open_only`.
        at: holds that end by then are none.
        after: (starts_on, id) of the last one seen.
    """
    clauses = [clause for name, clause in _FILTERS.items() if filters.get(name)]
    values = {**filters, "today": today, "at": at, "limit": limit}
    if after:
        clauses.append("(c.starts_on, c.id) > (%(after_start)s::date, %(after_id)s::uuid)")
        values |= {"after_start": after[0], "after_id": after[1]}
    where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
    rows = await conn.execute(
        f"{_COHORT} {where} ORDER BY c.starts_on, c.id LIMIT %(limit)s",
        values,
    )
    return [cohort_of(r) for r in await rows.fetchall()]


_FILTERS = {
    "course_code": "c.course_code = %(course_code)s",
    "modality": "c.modality = %(modality)s",
    "starts_after": "c.starts_on > %(starts_after)s",
    "open_only": _ENROLLABLE,
}


async def select_upcoming(
    conn: Connection, course_codes: list[str], *, today: date, at: datetime
) -> dict[str, tuple[Cohort, ...]]:
    """Return the cohorts that start today or later and are not cancelled, by course code."""
    rows = await conn.execute(
        f"{_COHORT} WHERE c.course_code = ANY(%(codes)s) AND c.starts_on >= %(today)s "
        "AND c.status <> 'cancelled' ORDER BY c.starts_on, c.code",
        {"codes": course_codes, "today": today, "at": at},
    )
    found: dict[str, tuple[Cohort, ...]] = {}
    for cohort in [cohort_of(r) for r in await rows.fetchall()]:
        found[cohort.course_code] = (*found.get(cohort.course_code, ()), cohort)
    return found


async def select_cohort(conn: Connection, code_or_id: str | UUID, *, at: datetime) -> Cohort | None:
    """Return a cohort by its code or its id."""
    column = "id" if isinstance(code_or_id, UUID) else "code"
    rows = await conn.execute(
        f"{_COHORT} WHERE c.{column} = %(key)s", {"key": code_or_id, "at": at}
    )
    row = await rows.fetchone()
    return cohort_of(row) if row else None


async def lock_cohort(conn: Connection, code: str) -> None:
    """Keep others from changing a cohort, or enrolling in it, until this transaction ends."""
    await conn.execute("SELECT 1 FROM cohorts WHERE code = %s FOR NO KEY UPDATE", [code])


async def lock_cohorts(conn: Connection, cohort_ids: Iterable[CohortId]) -> None:
    """Lock cohorts as `lock_cohort` does, in the one order in which everybody takes them."""
    await conn.execute(
        "SELECT 1 FROM cohorts WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
        [list(cohort_ids)],
    )


async def select_locked(
    conn: Connection, cohort_ids: Iterable[CohortId], *, at: datetime
) -> dict[CohortId, Cohort]:
    """Return cohorts by their id."""
    rows = await conn.execute(
        f"{_COHORT} WHERE c.id = ANY(%(ids)s) ORDER BY c.id", {"ids": list(cohort_ids), "at": at}
    )
    cohorts = [cohort_of(r) for r in await rows.fetchall()]
    return {cohort.id: cohort for cohort in cohorts}


async def insert_cohort(
    conn: Connection, command: CreateCohort, *, ends_on: date, price: Money, at: datetime
) -> CohortId | None:
    """Add a cohort; None when its code is taken."""
    row = cohort_row(command, ends_on=ends_on, price=price, at=at)
    rows = await conn.execute(
        f"INSERT INTO cohorts ({', '.join(row)}) "  # noqa: S608 (column names are constants)
        f"VALUES ({', '.join(f'%({name})s' for name in row)}) "
        "ON CONFLICT (code) DO NOTHING RETURNING id",
        row,
    )
    added = await rows.fetchone()
    return CohortId(added["id"]) if added else None


async def update_cohort(conn: Connection, code: str, changes: dict[str, Any]) -> None:
    """Write some columns of a cohort."""
    assignments = ", ".join(f"{name} = %({name})s" for name in changes)
    await conn.execute(
        f"UPDATE cohorts SET {assignments} WHERE code = %(code)s",  # noqa: S608 (constant names)
        {**changes, "code": code},
    )


def cohort_row(
    command: CreateCohort, *, ends_on: date, price: Money, at: datetime
) -> dict[str, Any]:
    """Return a new cohort as the columns of its row."""
    return {
        "id": new_id(),
        "code": command.code,
        "course_code": command.course_code,
        "starts_on": command.starts_on,
        "ends_on": ends_on,
        "enrolment_closes": command.enrolment_closes,
        "modality": command.modality,
        "campus": command.campus,
        "days": list(command.schedule.days),
        "start_time": command.schedule.start_time,
        "end_time": command.schedule.end_time,
        "seats": command.seats,
        "blocked_seats": command.blocked_seats,
        "price_minor": price.amount_minor,
        "currency": price.currency,
        "status": command.status,
        "updated_at": at,
    }


def cohort_of(row: DictRow) -> Cohort:
    """Return the cohort of a row that counts its enrolments as `taken`, its holds as `held`."""
    return Cohort(
        id=CohortId(row["id"]),
        code=row["code"],
        course_code=row["course_code"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        enrolment_closes=row["enrolment_closes"],
        modality=row["modality"],
        campus=row["campus"],
        schedule=Schedule(tuple(row["days"]), row["start_time"], row["end_time"]),
        seats=row["seats"],
        blocked_seats=row["blocked_seats"],
        seats_taken=row["taken"],
        seats_held=row["held"],
        price=Money(row["price_minor"], row["currency"]),
        status=row["status"],
        updated_at=row["updated_at"],
    )
