"""All the SQL of merges."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.errors import UniqueViolation
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from crm.db import Connection
from crm.errors import Conflict
from crm.ids import PersonId
from crm.people.merging.models import Merge
from crm.people.merging.tables import Moved

_MERGE = "id, survivor_id, merged_id, staff_id, merged_at, undone_at, filled, consents"


async def lock_people(conn: Connection, pair: Sequence[PersonId]) -> None:
    """Let nobody change these people, or write anything new about them, until this commits."""
    await conn.execute(
        "SELECT FROM people WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [sorted(pair)]
    )


async def insert_merge(
    conn: Connection, merge: Merge, *, before: Mapping[str, object] | None
) -> None:
    """Record a merge with what is needed to undo it.

    Args:
        before: the survivor's preferences, where the merge changes them.
    """
    await conn.execute(
        """
        INSERT INTO person_merges (id, survivor_id, merged_id, staff_id, merged_at, filled,
            preferences, consents)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            merge.id,
            merge.survivor_id,
            merge.merged_id,
            merge.staff_id,
            merge.merged_at,
            list(merge.filled),
            Jsonb(before) if before else None,
            list(merge.consents),
        ],
    )


async def select_merge(conn: Connection, merge_id: UUID) -> Merge | None:
    """Return a merge."""
    rows = await conn.execute(
        f"SELECT {_MERGE} FROM person_merges WHERE id = %s",  # noqa: S608 (constant columns)
        [merge_id],
    )
    return _merge(await rows.fetchone())


async def select_open_merge(conn: Connection, merged_id: PersonId) -> Merge | None:
    """Return the merge that a record went into another by."""
    rows = await conn.execute(
        f"SELECT {_MERGE} FROM person_merges "  # noqa: S608 (constant columns)
        "WHERE merged_id = %s AND undone_at IS NULL",
        [merged_id],
    )
    return _merge(await rows.fetchone())


async def select_latest_merge(conn: Connection, survivor_id: PersonId) -> UUID | None:
    """Return the latest merge into a person that was not undone."""
    rows = await conn.execute(
        "SELECT id FROM person_merges WHERE survivor_id = %s AND undone_at IS NULL "
        "ORDER BY merged_at DESC, id DESC LIMIT 1",
        [survivor_id],
    )
    row = await rows.fetchone()
    return row["id"] if row else None


def _merge(row: DictRow | None) -> Merge | None:
    if row is None:
        return None
    return Merge(**row | {name: tuple(row[name]) for name in ("filled", "consents")})


# --- rows ---------------------------------------------------------------------------------------


async def move_rows(
    conn: Connection, moved: Moved, merge: Merge, *, survivor: PersonId, merged: PersonId
) -> int:
    """Give a table's rows to the survivor and note which; how many there were."""
    statement = sql.SQL(
        """
        WITH moved AS (
            UPDATE {table} t SET {column} = %(survivor)s
            WHERE t.{column} = %(merged)s AND NOT ({stays_if}) RETURNING t.{key}::text AS key
        )
        INSERT INTO person_merge_moves (merge_id, table_name, column_name, keys)
        SELECT %(merge)s, %(table)s, %(column)s, array_agg(key) FROM moved HAVING count(*) > 0
        RETURNING cardinality(keys) AS moved
        """
    ).format(**_names(moved), stays_if=sql.SQL(moved.stays_if))
    rows = await conn.execute(
        statement,
        {
            "survivor": survivor,
            "merged": merged,
            "merge": merge.id,
            "table": moved.table,
            "column": moved.column,
        },
    )
    row = await rows.fetchone()
    return row["moved"] if row else 0


async def return_rows(conn: Connection, moved: Moved, merge: Merge) -> int:
    """Give back the rows that a merge moved, as far as nobody else has moved them since.

    Raises: Conflict("merge.changed"): a row has become one that the merged record has already.
    """
    statement = sql.SQL(
        """
        UPDATE {table} t SET {column} = %(merged)s
        WHERE t.{column} = %(survivor)s AND t.{key} = ANY(
            SELECT unnest(keys)::{key_type} FROM person_merge_moves
            WHERE merge_id = %(merge)s AND table_name = %(table)s AND column_name = %(column)s)
        """
    ).format(**_names(moved))
    values = {
        "survivor": merge.survivor_id,
        "merged": merge.merged_id,
        "merge": merge.id,
        "table": moved.table,
        "column": moved.column,
    }
    try:
        return (await conn.execute(statement, values)).rowcount
    except UniqueViolation as changed:
        raise Conflict("merge.changed", "The two records have changed too much since.") from changed


def _names(moved: Moved) -> dict[str, sql.Composable]:
    return {
        "table": sql.Identifier(moved.table),
        "column": sql.Identifier(moved.column),
        "key": sql.Identifier(moved.key),
        "key_type": sql.SQL(moved.key_type),
    }


async def mark_merged(conn: Connection, merge: Merge) -> None:
    """Make the one record a reference to the other."""
    await conn.execute(
        "UPDATE people SET status = 'merged', merged_into = %s, version = version + 1, "
        "updated_at = %s WHERE id = %s",
        [merge.survivor_id, merge.merged_at, merge.merged_id],
    )


async def fill_survivor(conn: Connection, merge: Merge) -> None:
    """Let the survivor take over what was known of the other record only."""
    sets = [_of("m", name) for name in merge.filled]
    statement = sql.SQL(
        "UPDATE people s SET {sets} version = s.version + 1, updated_at = %(at)s "
        "FROM people m WHERE s.id = %(survivor)s AND m.id = %(merged)s"
    ).format(sets=sql.SQL("").join(sets))
    await conn.execute(
        statement,
        {"at": merge.merged_at, "survivor": merge.survivor_id, "merged": merge.merged_id},
    )


def _of(other: str, name: str) -> sql.Composable:
    column = sql.Identifier(name)
    return sql.SQL("{} = {}.{}, ").format(column, sql.Identifier(other), column)


async def empty_survivor(conn: Connection, merge: Merge, *, at: datetime) -> None:
    """Take back what `fill_survivor` gave, where it was not changed since."""
    sets = [
        sql.SQL("{0} = nullif(s.{0}, m.{0}), ").format(sql.Identifier(name))
        for name in merge.filled
    ]
    statement = sql.SQL(
        "UPDATE people s SET {sets} version = s.version + 1, updated_at = %(at)s "
        "FROM people m WHERE s.id = %(survivor)s AND m.id = %(merged)s"
    ).format(sets=sql.SQL("").join(sets))
    await conn.execute(
        statement, {"at": at, "survivor": merge.survivor_id, "merged": merge.merged_id}
    )


async def mark_active(conn: Connection, merge: Merge, *, at: datetime) -> None:
    """Make the merged record one of its own again.

    Raises: Conflict("merge.address_taken"): somebody else was given its address meanwhile.
    """
    try:
        await conn.execute(
            "UPDATE people SET status = 'active', merged_into = NULL, version = version + 1, "
            "updated_at = %s WHERE id = %s",
            [at, merge.merged_id],
        )
    except UniqueViolation as taken:
        raise Conflict("merge.address_taken", "Somebody else has this address now.") from taken


async def mark_undone(conn: Connection, merge: Merge, *, at: datetime) -> None:
    """Note that a merge was undone, and forget what it moved."""
    await conn.execute("UPDATE person_merges SET undone_at = %s WHERE id = %s", [at, merge.id])
    await conn.execute("DELETE FROM person_merge_moves WHERE merge_id = %s", [merge.id])


async def delete_consents(conn: Connection, consents: Sequence[UUID]) -> None:
    """Take back lines that a merge appended; they were nobody's word."""
    await conn.execute("DELETE FROM consents WHERE id = ANY(%s)", [list(consents)])


async def restore_preferences(conn: Connection, merge: Merge) -> None:
    """Give the survivor the preferences of before the merge, unless they said otherwise since."""
    rows = await conn.execute("SELECT preferences FROM person_merges WHERE id = %s", [merge.id])
    row = await rows.fetchone()
    before: Mapping[str, Any] | None = row["preferences"] if row else None
    if before is None:
        return
    values = {"person": merge.survivor_id, "merged_at": merge.merged_at, **before}
    await conn.execute(_PREFERENCES_BACK if before["had"] else _PREFERENCES_AWAY, values)


_PREFERENCES_BACK = (
    "UPDATE contact_preferences SET preferred_channel = %(preferred_channel)s, "
    "opted_out = %(opted_out)s WHERE person_id = %(person)s AND updated_at = %(merged_at)s"
)
_PREFERENCES_AWAY = (
    "DELETE FROM contact_preferences WHERE person_id = %(person)s AND updated_at = %(merged_at)s"
)
