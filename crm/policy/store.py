"""All the SQL of the policy."""

from collections.abc import Sequence

from psycopg.rows import class_row

from crm.db import Connection
from crm.policy.models import PolicyVersion

_COLUMNS = "version, text, note, staff_id, created_at"


async def insert_version(conn: Connection, policy: PolicyVersion) -> bool:
    """Add a version; False when somebody else added this one."""
    rows = await conn.execute(
        "INSERT INTO policy_versions (version, text, note, staff_id, created_at) "
        "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (version) DO NOTHING",
        [policy.version, policy.text, policy.note, policy.staff_id, policy.created_at],
    )
    return rows.rowcount == 1


async def select_version(conn: Connection, version: int | None = None) -> PolicyVersion | None:
    """Return a version, or the latest."""
    async with conn.cursor(row_factory=class_row(PolicyVersion)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM policy_versions "  # noqa: S608 (constant columns)
            "WHERE %(version)s::integer IS NULL OR version = %(version)s "
            "ORDER BY version DESC LIMIT 1",
            {"version": version},
        )
        return await cursor.fetchone()


async def select_versions(
    conn: Connection, *, before: int | None, limit: int
) -> Sequence[PolicyVersion]:
    """Return versions, the latest first."""
    async with conn.cursor(row_factory=class_row(PolicyVersion)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM policy_versions "  # noqa: S608 (constant columns)
            "WHERE %(before)s::integer IS NULL OR version < %(before)s "
            "ORDER BY version DESC LIMIT %(limit)s",
            {"before": before, "limit": limit},
        )
        return await cursor.fetchall()
