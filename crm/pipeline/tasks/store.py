"""All the SQL of tasks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from crm.db import Connection
from crm.facts import facts_of
from crm.paging import equal, oldest_first
from crm.pipeline.tasks.models import Task, TaskFilters, TaskId

_COLUMNS = (
    "id, person_id, lead_id, title, staff_id, due_at, status, version, created_at, updated_at, "
    "closed_at"
)
_FILTERS = equal("staff_id", "status", "lead_id", "person_id") | {
    "due_before": "due_at < %(due_before)s"
}


async def insert_task(conn: Connection, task: Task, effect_key: str | None) -> bool:
    """Add a task; False when the effect happened before."""
    names = [name.strip() for name in _COLUMNS.split(",")]
    rows = await conn.execute(
        f"INSERT INTO tasks (effect_key, {_COLUMNS}) "  # noqa: S608 (constant columns)
        f"VALUES (%(effect_key)s, {', '.join(f'%({n})s' for n in names)}) "
        "ON CONFLICT (effect_key) DO NOTHING",
        {**facts_of(task), "effect_key": effect_key},
    )
    return rows.rowcount == 1


async def select_task(
    conn: Connection,
    task_id: TaskId | None = None,
    *,
    effect_key: str | None = None,
    lock: bool = False,
) -> Task | None:
    """Return a task by its id, or by the effect that created it."""
    async with conn.cursor(row_factory=class_row(Task)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM tasks WHERE "  # noqa: S608 (constant columns)
            + ("id = %s" if task_id is not None else "effect_key = %s")
            + (" FOR NO KEY UPDATE" if lock else ""),
            [task_id if task_id is not None else effect_key],
        )
        return await cursor.fetchone()


async def update_task(conn: Connection, task_id: TaskId, changes: Mapping[str, Any]) -> Task:
    """Write the changed columns and count the version up; the row is locked by the caller."""
    sets = [sql.SQL("{} = {}").format(sql.Identifier(n), sql.Placeholder(n)) for n in changes]
    statement = sql.SQL(
        "UPDATE tasks SET {sets}, version = version + 1 WHERE id = %(_id)s RETURNING {columns}"
    ).format(sets=sql.SQL(", ").join(sets), columns=sql.SQL(_COLUMNS))
    async with conn.cursor(row_factory=class_row(Task)) as cursor:
        await cursor.execute(statement, {**changes, "_id": task_id})
        row = await cursor.fetchone()
    assert row is not None, "the caller holds the row's lock"  # noqa: S101
    return row


async def select_tasks(
    conn: Connection, filters: TaskFilters, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Task]:
    """Return the tasks that match, the first due first, after (due_at, id)."""
    page, values = oldest_first(
        facts_of(filters), _FILTERS, keys=("due_at", "id"), after=after, limit=limit
    )
    async with conn.cursor(row_factory=class_row(Task)) as cursor:
        await cursor.execute(f"SELECT {_COLUMNS} FROM tasks {page}", values)  # noqa: S608 (constants)
        return await cursor.fetchall()
