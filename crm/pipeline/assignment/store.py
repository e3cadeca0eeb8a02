"""All the SQL of assignment."""

from crm.db import Connection
from crm.ids import StaffId
from crm.pipeline.assignment.rules import Candidate

#: Any number that no other advisory lock of ours uses.
_LOCK = 0x0A551614


async def lock_turns(conn: Connection) -> None:
    """Let one transaction assign at a time, so that each sees what the one before chose."""
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


async def select_candidates(conn: Connection) -> list[Candidate]:
    """Return the advisors on duty with what they look after."""
    rows = await conn.execute(
        """
        SELECT s.id, s.languages, s.areas, coalesce(t.turn, 0) AS turn, (
            SELECT count(*) FROM leads l
            WHERE l.staff_id = s.id AND l.stage NOT IN ('enrolled', 'lost')
        ) AS load
        FROM staff s LEFT JOIN staff_turns t ON t.staff_id = s.id
        WHERE s.active AND s.role = 'advisor'
        """
    )
    return [
        Candidate(
            staff_id=StaffId(row["id"]),
            languages=frozenset(row["languages"]),
            areas=frozenset(row["areas"]),
            load=row["load"],
            turn=row["turn"],
        )
        for row in await rows.fetchall()
    ]


async def take_turn(conn: Connection, staff_id: StaffId) -> None:
    """Put somebody at the end of the queue."""
    await conn.execute(
        """
        INSERT INTO staff_turns (staff_id, turn) VALUES (%s, nextval('assignment_turns'))
        ON CONFLICT (staff_id) DO UPDATE SET turn = excluded.turn
        """,
        [staff_id],
    )


async def select_area(
    conn: Connection, *, programme_code: str | None, course_code: str | None
) -> str | None:
    """Return the field of study of a programme or a course."""
    rows = await conn.execute(
        """
        SELECT area FROM programmes WHERE code = %(programme)s
        UNION ALL SELECT area FROM courses WHERE code = %(course)s
        """,
        {"programme": programme_code, "course": course_code},
    )
    row = await rows.fetchone()
    return str(row["area"]) if row else None
