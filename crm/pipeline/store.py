"""All the SQL of leads and their stages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.errors import ForeignKeyViolation, UniqueViolation
from psycopg.rows import DictRow, class_row

from crm.db import Connection
from crm.errors import Conflict, NotFound
from crm.facts import facts_of
from crm.ids import PersonId, StaffId
from crm.paging import equal, newest_first
from crm.pipeline.models import Lead, LeadFilters, LeadId, LeadSort, StageChange

_COLUMNS = (
    "id, person_id, source, programme_code, course_code, term, language, stage, lost_reason, "
    "staff_id, version, created_at, stage_since, last_activity_at"
)
_SORTS: Mapping[LeadSort, str] = {"newest": "created_at", "last_activity": "last_activity_at"}
#: As many people are looked up by name before their leads; of a more common name, the leads are
#: gone through in their order instead, and enough of them soon found.
_FEW = 500
_NAMED = "status = 'active' AND search @@ plainto_tsquery('simple', fold(%(query)s))"
_LIKE_NAME = "fold(%(query)s) <%% folded_name"
_LIKENESS = "word_similarity(fold(%(query)s), folded_name)"
_PART_OF_ADDRESS = "email LIKE %(part)s"
#: A part of an address is looked for from so many characters on: its index knows groups of three.
_PART = 3
_FILTERS = {
    **equal("stage", "staff_id", "source", "programme_code", "course_code", "term", "language"),
    **equal("person_id"),
    "unassigned": "l.staff_id IS NULL",
    "few": "l.person_id = ANY(%(few)s)",
    "query": f"EXISTS (SELECT FROM people WHERE id = l.person_id AND {_NAMED})",
}


async def lock_person(conn: Connection, person_id: PersonId) -> DictRow | None:
    """Return a person's id, locale, status and `merged_into`, with nobody else working on them."""
    rows = await conn.execute(
        "SELECT id, locale, status, merged_into FROM people WHERE id = %s FOR NO KEY UPDATE",
        [person_id],
    )
    return await rows.fetchone()


async def insert_lead(conn: Connection, lead: Lead) -> None:
    """Add a lead.

    Raises:
        Conflict("lead.exists"): the person has an open one for the same thing.
        NotFound("lead.interest_unknown"): no such programme or course.
    """
    names = [name.strip() for name in _COLUMNS.split(",")]
    try:
        await conn.execute(
            f"INSERT INTO leads ({_COLUMNS}) VALUES ({', '.join(f'%({n})s' for n in names)})",  # noqa: S608
            facts_of(lead),
        )
    except UniqueViolation as taken:
        raise _exists() from taken
    except ForeignKeyViolation as missing:
        raise _unknown(missing) from missing


def _exists() -> Conflict:
    return Conflict("lead.exists", "This person already has an open application for this.")


def _unknown(violation: ForeignKeyViolation) -> NotFound:
    if violation.diag.constraint_name == "leads_staff_id_fkey":
        return NotFound("staff.unknown", "There is no such member of staff.")
    return NotFound("lead.interest_unknown", "There is no such programme or course.")


async def select_lead(conn: Connection, lead_id: LeadId, *, lock: bool = False) -> Lead | None:
    """Return a lead, locked if it is going to be changed."""
    async with conn.cursor(row_factory=class_row(Lead)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM leads WHERE id = %s "  # noqa: S608 (constant columns)
            + ("FOR NO KEY UPDATE" if lock else ""),
            [lead_id],
        )
        return await cursor.fetchone()


async def select_open_lead_for(
    conn: Connection, person_id: PersonId, course_code: str
) -> Lead | None:
    """Return the person's open lead for a course, or for a programme that contains it, locked."""
    async with conn.cursor(row_factory=class_row(Lead)) as cursor:
        await cursor.execute(
            f"""
            SELECT {_COLUMNS} FROM leads
            WHERE person_id = %(person)s AND stage NOT IN ('enrolled', 'lost')
                AND (course_code = %(course)s OR programme_code IN (
                    SELECT programme_code FROM programme_courses WHERE course_code = %(course)s))
            ORDER BY course_code IS NOT NULL DESC, created_at, id LIMIT 1 FOR NO KEY UPDATE
            """,  # noqa: S608 (constant columns)
            {"person": person_id, "course": course_code},
        )
        return await cursor.fetchone()


async def select_latest_open_lead(conn: Connection, person_id: PersonId) -> LeadId | None:
    """Return the person's open lead that something happened with last."""
    rows = await conn.execute(
        "SELECT id FROM leads WHERE person_id = %s AND stage NOT IN ('enrolled', 'lost') "
        "ORDER BY last_activity_at DESC, id DESC LIMIT 1",
        [person_id],
    )
    row = await rows.fetchone()
    return LeadId(row["id"]) if row else None


async def select_lead_of_happening(
    conn: Connection, person_id: PersonId, source_key: str
) -> LeadId | None:
    """Return the person's lead on whose timeline a happening is noted."""
    rows = await conn.execute(
        "SELECT lead_id FROM activities WHERE source_key = %s AND person_id = %s",
        [source_key, person_id],
    )
    row = await rows.fetchone()
    return LeadId(row["lead_id"]) if row and row["lead_id"] else None


async def update_lead(conn: Connection, lead_id: LeadId, changes: Mapping[str, Any]) -> Lead:
    """Write the changed columns and count the version up; the row is locked by the caller.

    Raises: Conflict("lead.exists"); NotFound("lead.interest_unknown" | "staff.unknown").
    """
    sets = [sql.SQL("{} = {}").format(sql.Identifier(n), sql.Placeholder(n)) for n in changes]
    statement = sql.SQL(
        "UPDATE leads SET {sets}, version = version + 1 WHERE id = %(_id)s RETURNING {columns}"
    ).format(sets=sql.SQL(", ").join(sets), columns=sql.SQL(_COLUMNS))
    async with conn.cursor(row_factory=class_row(Lead)) as cursor:
        try:
            await cursor.execute(statement, {**changes, "_id": lead_id})
        except UniqueViolation as taken:
            raise _exists() from taken
        except ForeignKeyViolation as missing:
            raise _unknown(missing) from missing
        row = await cursor.fetchone()
    assert row is not None, "the caller holds the row's lock"  # noqa: S101
    return row


async def touch_lead(conn: Connection, lead_id: LeadId, *, at: datetime) -> None:
    """Note when something last happened with a lead; never back in time."""
    await conn.execute(
        "UPDATE leads SET last_activity_at = %(at)s "
        "WHERE id = %(id)s AND last_activity_at < %(at)s",
        {"at": at, "id": lead_id},
    )


async def select_leads(
    conn: Connection,
    filters: LeadFilters,
    *,
    sort: LeadSort,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Lead]:
    """Return the leads that match, the latest first, after (time, id)."""
    few = None if filters.query is None else await _select_few_named(conn, filters.query)
    asked = facts_of(filters) | {"few": few, "unassigned": filters.unassigned or None}
    if few is not None:
        asked["query"] = None
    page, values = newest_first(
        asked, _FILTERS, keys=(f"l.{_SORTS[sort]}", "l.id"), after=after, limit=limit
    )
    async with conn.cursor(row_factory=class_row(Lead)) as cursor:
        await cursor.execute(f"SELECT {_COLUMNS} FROM leads l {page}", values)  # noqa: S608
        return await cursor.fetchall()


async def _select_few_named(conn: Connection, query: str) -> list[UUID] | None:
    """Return the people that a query names, or None when they are not few.

    Where nobody has its very words, those are meant whose name is spelled nearly so, or whose
    e-mail address has it as a part.
    """
    # Planned apart from its limit, the matches are found by their index, and no more than needed.
    rows = await conn.execute(
        f"WITH named AS MATERIALIZED (SELECT id FROM people WHERE {_NAMED}) "  # noqa: S608
        f"SELECT id FROM named LIMIT {_FEW + 1}",
        {"query": query},
    )
    found = [row["id"] for row in await rows.fetchall()]
    if not found:
        return await _select_alike(conn, query)
    return found if len(found) <= _FEW else None


async def _select_alike(conn: Connection, query: str) -> list[UUID]:
    """Return whose name is most like a query, or whose address has it as a part."""
    part = query.strip().lower()
    is_part = len(part) >= _PART and " " not in part
    wheres = [_PART_OF_ADDRESS] if is_part else []
    if "@" not in part:  # no name has one
        wheres.append(_LIKE_NAME)
    if not wheres:
        return []
    order = "id" if "@" in part else "likeness DESC, id"
    # United and not joined by OR, which would compare each spelling once more.
    found = " UNION ".join(
        f"SELECT id, {_LIKENESS} AS likeness FROM people WHERE status = 'active' AND {where}"  # noqa: S608
        for where in wheres
    )
    rows = await conn.execute(
        f"SELECT id FROM ({found}) AS found ORDER BY {order} LIMIT {_FEW}",  # noqa: S608
        {"query": query, "part": f"%{part.translate(_LITERAL)}%"},
    )
    return [row["id"] for row in await rows.fetchall()]


#: What has a meaning in a LIKE pattern, as itself.
_LITERAL = str.maketrans({c: f"\\{c}" for c in "\\%_"})


async def insert_stage(conn: Connection, change: StageChange) -> None:
    """Add a line to a lead's history."""
    await conn.execute(
        """
        INSERT INTO lead_stages (id, lead_id, from_stage, to_stage, reason, staff_id, occurred_at)
        VALUES (%(id)s, %(lead_id)s, %(from_stage)s, %(to_stage)s, %(reason)s, %(staff_id)s,
            %(occurred_at)s)
        """,
        facts_of(change),
    )


async def select_stages(conn: Connection, lead_id: LeadId) -> list[StageChange]:
    """Return a lead's history, oldest first."""
    async with conn.cursor(row_factory=class_row(StageChange)) as cursor:
        await cursor.execute(
            "SELECT id, lead_id, from_stage, to_stage, reason, staff_id, occurred_at "
            "FROM lead_stages WHERE lead_id = %s ORDER BY occurred_at, id",
            [lead_id],
        )
        return await cursor.fetchall()


async def is_on_duty(conn: Connection, staff_id: StaffId) -> bool:
    """Return whether a member of staff may look after something."""
    rows = await conn.execute(
        "SELECT 1 FROM staff WHERE id = %s AND active AND role <> 'service'", [staff_id]
    )
    return await rows.fetchone() is not None
