"""All the SQL of imports themselves: their state, their files, what is wrong in them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from crm.db import Connection
from crm.imports.models import Import, ImportId, LineError, Outcome

_COLUMNS = (
    "id, kind, file_name, size_bytes, columns, duplicates, dry_run, status, error_code, staff_id, "
    "lines_total, lines_done, created, updated, skipped, failed, epoch, created_at, ended_at"
)

_GIVEN = (
    *("id", "kind", "file_name", "size_bytes", "duplicates", "dry_run", "status", "staff_id"),
    *("lines_total", "created_at"),
)


# --- state --------------------------------------------------------------------------------------


async def insert_import(conn: Connection, row: Import, *, sha256: bytes) -> None:
    """Add an import."""
    given = {name: getattr(row, name) for name in _GIVEN}
    await conn.execute(
        """
        INSERT INTO imports (id, kind, file_name, size_bytes, sha256, columns, duplicates, dry_run,
            status, staff_id, lines_total, created_at)
        VALUES (%(id)s, %(kind)s, %(file_name)s, %(size_bytes)s, %(sha256)s, %(columns)s,
            %(duplicates)s, %(dry_run)s, %(status)s, %(staff_id)s, %(lines_total)s, %(created_at)s)
        """,
        given | {"columns": Jsonb(dict(row.columns)), "sha256": sha256},
    )


async def select_import(
    conn: Connection, import_id: ImportId, *, lock: bool = False
) -> Import | None:
    """Return an import."""
    async with conn.cursor(row_factory=class_row(Import)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM imports WHERE id = %s {'FOR UPDATE' if lock else ''}",  # noqa: S608
            [import_id],
        )
        return await cursor.fetchone()


async def select_imports(
    conn: Connection, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Import]:
    """Return imports, the newest first."""
    at, last = after or (None, None)
    async with conn.cursor(row_factory=class_row(Import)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM imports "  # noqa: S608 (constant columns)
            + ("WHERE (created_at, id) < (%(at)s, %(last)s) " if after else "")
            + "ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
            {"at": at, "last": last, "limit": limit},
        )
        return await cursor.fetchall()


async def queue_import(conn: Connection, import_id: ImportId, *, dry_run: bool) -> None:
    """Let runners take an import up, from its first line."""
    await conn.execute(
        """
        UPDATE imports SET status = 'queued', dry_run = %s, lines_done = 0, created = 0,
            updated = 0, skipped = 0, failed = 0, error_code = NULL, ended_at = NULL,
            claimed_until = NULL WHERE id = %s
        """,
        [dry_run, import_id],
    )


async def claim_next(conn: Connection, *, at: datetime, until: datetime) -> Import | None:
    """Take an import that nobody is running, the oldest first; a new epoch shuts out the others."""
    async with conn.cursor(row_factory=class_row(Import)) as cursor:
        await cursor.execute(
            f"""
            UPDATE imports SET status = 'running', epoch = epoch + 1, claimed_until = %(until)s
            WHERE id = (
                SELECT id FROM imports WHERE status IN ('queued', 'running')
                    AND (claimed_until IS NULL OR claimed_until <= %(at)s)
                ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
            ) RETURNING {_COLUMNS}
            """,  # noqa: S608 (constant columns)
            {"at": at, "until": until},
        )
        return await cursor.fetchone()


async def advance(
    conn: Connection, row: Import, outcome: Outcome, *, lines: int, until: datetime
) -> bool:
    """Count a batch in its transaction; False when somebody else has the import, or stopped it."""
    cursor = await conn.execute(
        """
        UPDATE imports SET lines_done = lines_done + %(lines)s, created = created + %(created)s,
            updated = updated + %(updated)s, skipped = skipped + %(skipped)s,
            failed = failed + %(failed)s, claimed_until = %(until)s
        WHERE id = %(id)s AND epoch = %(epoch)s AND status = 'running'
        """,
        {
            "id": row.id,
            "epoch": row.epoch,
            "lines": lines,
            "created": outcome.created,
            "updated": outcome.updated,
            "skipped": outcome.skipped,
            "failed": len(outcome.errors),
            "until": until,
        },
    )
    return cursor.rowcount == 1


async def release(conn: Connection, row: Import) -> None:
    """Let another runner go on with an import."""
    await conn.execute(
        "UPDATE imports SET claimed_until = NULL WHERE id = %s AND epoch = %s", [row.id, row.epoch]
    )


async def cancel_import(conn: Connection, import_id: ImportId, *, at: datetime) -> None:
    """End an import, whoever runs it."""
    await conn.execute(
        "UPDATE imports SET status = 'cancelled', ended_at = %s, claimed_until = NULL "
        "WHERE id = %s",
        [at, import_id],
    )


async def end_import(
    conn: Connection, row: Import, *, status: str, error_code: str | None, at: datetime
) -> bool:
    """End an import that this runner still has; False when it has lost it."""
    cursor = await conn.execute(
        """
        UPDATE imports SET status = %s, error_code = %s, ended_at = %s, claimed_until = NULL,
            lines_total = lines_done
        WHERE id = %s AND epoch = %s AND status = 'running'
        """,
        [status, error_code, at, row.id, row.epoch],
    )
    return cursor.rowcount == 1


# --- files --------------------------------------------------------------------------------------


async def insert_part(conn: Connection, import_id: ImportId, part: int, content: bytes) -> None:
    """Keep a piece of a file."""
    await conn.execute(
        "INSERT INTO import_parts (import_id, part, content) VALUES (%s, %s, %s)",
        [import_id, part, content],
    )


async def select_part(conn: Connection, import_id: ImportId, part: int) -> bytes | None:
    """Return a piece of a file; None after the last."""
    rows = await conn.execute(
        "SELECT content FROM import_parts WHERE import_id = %s AND part = %s", [import_id, part]
    )
    row = await rows.fetchone()
    return bytes(row["content"]) if row else None


async def forget_file(conn: Connection, import_id: ImportId) -> None:
    """Delete a file and what a dry run remembered of it."""
    await conn.execute("DELETE FROM import_parts WHERE import_id = %s", [import_id])
    await conn.execute("DELETE FROM import_keys WHERE import_id = %s", [import_id])
    await conn.execute("UPDATE imports SET size_bytes = 0 WHERE id = %s", [import_id])


async def select_idle(conn: Connection, *, before: datetime, limit: int) -> list[ImportId]:
    """Return imports with a file that nobody has asked to run for long."""
    rows = await conn.execute(
        "SELECT id FROM imports WHERE size_bytes > 0 AND created_at < %s "
        "AND status NOT IN ('queued', 'running') ORDER BY created_at LIMIT %s "
        "FOR UPDATE SKIP LOCKED",
        [before, limit],
    )
    return [ImportId(row["id"]) for row in await rows.fetchall()]


# --- lines --------------------------------------------------------------------------------------


async def insert_errors(conn: Connection, import_id: ImportId, errors: Sequence[LineError]) -> None:
    """Note what is wrong in some lines."""
    if not errors:
        return
    rows: list[dict[str, Any]] = [
        {"line": e.line, "field": e.field, "code": e.code, "message": e.message} for e in errors
    ]
    await conn.execute(
        """
        INSERT INTO import_errors (import_id, line, field, code, message)
        SELECT %s, e.line, e.field, e.code, e.message
        FROM jsonb_to_recordset(%s) AS e (line bigint, field text, code text, message text)
        ON CONFLICT DO NOTHING
        """,
        [import_id, Jsonb(rows)],
    )


async def delete_errors(conn: Connection, import_id: ImportId) -> None:
    """Forget what was wrong, before the file is read anew."""
    await conn.execute("DELETE FROM import_errors WHERE import_id = %s", [import_id])
    await conn.execute("DELETE FROM import_keys WHERE import_id = %s", [import_id])


async def select_errors(
    conn: Connection, import_id: ImportId, *, after: int, limit: int
) -> list[LineError]:
    """Return what is wrong, line by line."""
    async with conn.cursor(row_factory=class_row(LineError)) as cursor:
        await cursor.execute(
            "SELECT line, field, code, message FROM import_errors "
            "WHERE import_id = %s AND line > %s ORDER BY line LIMIT %s",
            [import_id, after, limit],
        )
        return await cursor.fetchall()


async def select_met(conn: Connection, import_id: ImportId, digests: Sequence[bytes]) -> set[bytes]:
    """Return which of these a dry run has met before."""
    rows = await conn.execute(
        "SELECT digest FROM import_keys WHERE import_id = %s AND digest = ANY(%s)",
        [import_id, list(digests)],
    )
    return {bytes(row["digest"]) for row in await rows.fetchall()}


async def insert_met(conn: Connection, import_id: ImportId, digests: Sequence[bytes]) -> None:
    """Remember what a dry run has met."""
    await conn.execute(
        "INSERT INTO import_keys (import_id, digest) SELECT %s, unnest(%s::bytea[]) "
        "ON CONFLICT DO NOTHING",
        [import_id, list(digests)],
    )
