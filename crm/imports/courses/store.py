"""All the SQL of importing courses: a batch a statement."""

from collections.abc import Sequence
from datetime import datetime

from psycopg import sql
from psycopg.types.json import Jsonb

from crm.courses.models import CourseContent
from crm.courses.store import course_row
from crm.db import Connection


async def select_codes(conn: Connection, codes: Sequence[str]) -> set[str]:
    """Return which of these courses there are, locked against other writers."""
    rows = await conn.execute(
        "SELECT code FROM courses WHERE code = ANY(%s) ORDER BY code FOR NO KEY UPDATE",
        [list(codes)],
    )
    return {row["code"] for row in await rows.fetchall()}


async def upsert_courses(
    conn: Connection, courses: Sequence[CourseContent], *, at: datetime
) -> None:
    """Write courses, new or not."""
    rows = [course_row(content, at=at) | {"updated_at": at.isoformat()} for content in courses]
    names = [sql.Identifier(name) for name in rows[0]]
    changes = [sql.SQL("{0} = excluded.{0}").format(name) for name in names[1:]]
    await conn.execute(
        sql.SQL(
            "INSERT INTO courses ({names}) SELECT {names} "
            "FROM jsonb_populate_recordset(NULL::courses, %s) "
            "ON CONFLICT (code) DO UPDATE SET {changes}"
        ).format(names=sql.SQL(", ").join(names), changes=sql.SQL(", ").join(changes)),
        [Jsonb(rows)],
    )
