"""The SQL of ingests in the background: jobs, their items and files."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow, class_row
from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from retrieval.ingest.declared import Declared
from retrieval.ingest.jobs.models import AsideItem, ItemOutcome, Job, NewJob

Connection = AsyncConnection[DictRow]

_DECLARED = TypeAdapter(Declared)
_COLUMNS = (
    "id, source, place, collection, declared, complete, staff_id, status, error_code, reason,"
    " listed, items_total, items_done, added, changed, updated, unchanged, set_aside, withdrawn,"
    " epoch, created_at, ended_at"
)

_CLAIM = f"""
    WITH due AS (
        SELECT id, claimed_until IS NOT NULL AS was_left FROM ingest_jobs
         WHERE status IN ('queued', 'running')
           AND (claimed_until IS NULL OR claimed_until <= now())
           AND (%(only)s::uuid IS NULL OR id = %(only)s)
         ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED),
    -- Whoever had it is gone; perhaps the file that was next is to blame.
    suspect AS (
        UPDATE ingest_items i SET attempts = attempts + 1
          FROM due
         WHERE due.was_left AND i.job_id = due.id AND i.name = (
               SELECT name FROM ingest_items w WHERE w.job_id = due.id AND w.outcome IS NULL
                ORDER BY name LIMIT 1))
    UPDATE ingest_jobs j
       SET status = 'running', epoch = epoch + 1,
           claimed_until = now() + make_interval(secs => %(secs)s)
      FROM due WHERE j.id = due.id
    RETURNING {", ".join(f"j.{c.strip()}" for c in _COLUMNS.split(","))}
"""  # noqa: S608

_COUNT = """
    UPDATE ingest_jobs
       SET items_done = items_done + 1,
           added = added + (%(outcome)s = 'added')::int,
           changed = changed + (%(outcome)s = 'changed')::int,
           updated = updated + (%(outcome)s = 'updated')::int,
           unchanged = unchanged + (%(outcome)s = 'unchanged')::int,
           set_aside = set_aside + (%(outcome)s = 'set_aside')::int
     WHERE id = %(job)s AND epoch = %(epoch)s AND status = 'running'
"""

# What a file that was set aside has made stays as it was.
_MISSING = """
    SELECT DISTINCT d.id FROM search_documents d
     WHERE d.collection = %(collection)s AND d.current
       AND NOT EXISTS (SELECT FROM ingest_items i
                        WHERE i.job_id = %(job)s AND i.document_id = d.id)
       AND NOT EXISTS (SELECT FROM ingest_items i
                        WHERE i.job_id = %(job)s AND i.name = d.path AND i.outcome = 'set_aside')
"""


class Lost(Exception):
    """Another process has the job, or it was stopped."""


async def insert_job(conn: Connection, job: NewJob, *, claim_s: float | None = None) -> None:
    """Add a job.

    Args:
        claim_s: whoever adds it may run it at once; nobody else does meanwhile.
    """
    await conn.execute(
        "INSERT INTO ingest_jobs (id, source, place, collection, declared, complete, staff_id,"
        " status, epoch, claimed_until) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s,"
        " now() + make_interval(secs => %s))",
        [
            job.id,
            job.source,
            job.place,
            job.collection,
            Jsonb(_DECLARED.dump_python(job.declared, mode="json")),
            job.complete,
            job.staff_id,
            "queued" if claim_s is None else "running",
            0 if claim_s is None else 1,
            claim_s,
        ],
    )


def declared_of(job: Job) -> Declared:
    """Return what was declared for a job's files."""
    return _DECLARED.validate_json(json.dumps(dict(job.declared)))


async def insert_parts(conn: Connection, job_id: UUID, first: int, parts: Sequence[bytes]) -> None:
    """Keep pieces of a file that was sent."""
    await conn.execute(
        "INSERT INTO ingest_uploads (job_id, part, content)"
        " SELECT %s, p.part, p.content FROM unnest(%s::int[], %s::bytea[]) AS p (part, content)",
        [job_id, list(range(first, first + len(parts))), list(parts)],
    )


async def select_upload(conn: Connection, job_id: UUID) -> bytes:
    """Return a file that was sent."""
    rows = await conn.execute(
        "SELECT content FROM ingest_uploads WHERE job_id = %s ORDER BY part", [job_id]
    )
    return b"".join([bytes(row["content"]) async for row in rows])


async def select_job(conn: Connection, job_id: UUID, *, lock: bool = False) -> Job | None:
    """Return a job."""
    async with conn.cursor(row_factory=class_row(Job)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM ingest_jobs WHERE id = %s {'FOR UPDATE' if lock else ''}",  # noqa: S608
            [job_id],
        )
        return await cursor.fetchone()


async def select_jobs(
    conn: Connection, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Job]:
    """Return jobs, the newest first."""
    at, last = after or (None, None)
    async with conn.cursor(row_factory=class_row(Job)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM ingest_jobs"  # noqa: S608
            + (" WHERE (created_at, id) < (%(at)s, %(last)s)" if after else "")
            + " ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
            {"at": at, "last": last, "limit": limit},
        )
        return await cursor.fetchall()


async def select_aside(
    conn: Connection, job_id: UUID, *, after: str, limit: int
) -> list[AsideItem]:
    """Return what was set aside, by name."""
    async with conn.cursor(row_factory=class_row(AsideItem)) as cursor:
        await cursor.execute(
            "SELECT name, coalesce(code, '') AS code, coalesce(reason, '') AS reason"
            " FROM ingest_items WHERE job_id = %s AND outcome = 'set_aside' AND name > %s"
            " ORDER BY name LIMIT %s",
            [job_id, after, limit],
        )
        return await cursor.fetchall()


async def end_job(conn: Connection, job_id: UUID, status: str) -> None:
    """End a job whoever has it."""
    await conn.execute(
        "UPDATE ingest_jobs SET status = %s, ended_at = now(), claimed_until = NULL WHERE id = %s",
        [status, job_id],
    )
    await conn.execute("DELETE FROM ingest_uploads WHERE job_id = %s", [job_id])


async def forget_jobs(conn: Connection, *, before: datetime, limit: int) -> int:
    """Delete jobs that ended long ago; returns how many."""
    done = await conn.execute(
        "DELETE FROM ingest_jobs WHERE id IN (SELECT id FROM ingest_jobs WHERE ended_at < %s"
        " ORDER BY ended_at LIMIT %s)",
        [before, limit],
    )
    return done.rowcount


async def forget_pages(conn: Connection, document_ids: Sequence[str]) -> None:
    """Let pages be fetched anew whatever their servers say."""
    await conn.execute("DELETE FROM ingest_pages WHERE document_id = ANY (%s)", [document_ids])


class PgJobs:
    """What a runner does with jobs, over a pool it is given.

    Args:
        claim_s: how long a process that went silent keeps a job.
    """

    def __init__(self, pool: Any, *, claim_s: float = 60.0) -> None:
        self._pool = pool
        self.claim_s = claim_s

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self._pool.connection() as conn, conn.transaction():
            yield conn

    async def add(self, job: NewJob, *, run_here: bool = False) -> None:
        """Add a job, for whoever comes first or for this process."""
        async with self._transaction() as conn:
            await insert_job(conn, job, claim_s=self.claim_s if run_here else None)

    async def get(self, job_id: UUID) -> Job:
        """Return a job that there is."""
        async with self._pool.connection() as conn:
            job = await select_job(conn, job_id)
        if job is None:
            raise Lost
        return job

    async def list_aside(self, job_id: UUID, *, limit: int) -> list[AsideItem]:
        """Return what was set aside, by name."""
        async with self._pool.connection() as conn:
            return await select_aside(conn, job_id, after="", limit=limit)

    async def claim(self, only: UUID | None = None) -> Job | None:
        """Take up a job that nobody runs, the oldest first; who had it can write no more."""
        async with (
            self._transaction() as conn,
            conn.cursor(row_factory=class_row(Job)) as cursor,
        ):
            await cursor.execute(_CLAIM, {"secs": self.claim_s, "only": only})
            return await cursor.fetchone()

    async def renew(self, job: Job) -> None:
        """Keep a job.

        Raises: Lost.
        """
        await self._touch(job, "claimed_until = now() + make_interval(secs => %(secs)s)")

    async def release(self, job: Job) -> None:
        """Let another process go on."""
        await self._touch(job, "claimed_until = NULL")

    async def mark_listed(self, job: Job) -> None:
        """Note that all items are there."""
        await self._touch(
            job,
            "listed = true,"
            " items_total = (SELECT count(*) FROM ingest_items WHERE job_id = %(job)s)",
        )

    async def end(self, job: Job, status: str, *, code: str | None, reason: str | None) -> None:
        """End a job that this process has."""
        values = {"status": status, "code": code, "reason": reason}
        await self._touch(
            job,
            "status = %(status)s, error_code = %(code)s, reason = %(reason)s, ended_at = now(),"
            " claimed_until = NULL",
            values,
        )
        async with self._transaction() as conn:
            await conn.execute("DELETE FROM ingest_uploads WHERE job_id = %s", [job.id])

    async def _touch(self, job: Job, change: str, values: Mapping[str, object] = {}) -> None:
        async with self._transaction() as conn:
            done = await conn.execute(
                f"UPDATE ingest_jobs SET {change}"  # noqa: S608 (constants of this file)
                " WHERE id = %(job)s AND epoch = %(epoch)s AND status = 'running'",
                {"job": job.id, "epoch": job.epoch, "secs": self.claim_s, **values},
            )
        if not done.rowcount:
            raise Lost

    async def add_items(self, job: Job, names: Sequence[str]) -> None:
        """Note files or pages to take; those that are known stay as they are."""
        async with self._transaction() as conn:
            await conn.execute(
                "INSERT INTO ingest_items (job_id, name) SELECT %s, unnest(%s::text[])"
                " ON CONFLICT DO NOTHING",
                [job.id, list(names)],
            )

    async def waiting(self, job: Job, *, limit: int) -> list[tuple[str, int]]:
        """Return the next items by name, with how often they ended a process."""
        async with self._pool.connection() as conn:
            rows = await conn.execute(
                "SELECT name, attempts FROM ingest_items WHERE job_id = %s AND outcome IS NULL"
                " ORDER BY name LIMIT %s",
                [job.id, limit],
            )
            return [(row["name"], row["attempts"]) async for row in rows]

    async def owner_of(self, job: Job, document_id: str) -> str | None:
        """Return which item of the job the document was made of."""
        async with self._pool.connection() as conn:
            rows = await conn.execute(
                "SELECT name FROM ingest_items WHERE job_id = %s AND document_id = %s",
                [job.id, document_id],
            )
            row = await rows.fetchone()
        return row["name"] if row else None

    async def note(
        self, conn: Connection, job: Job, name: str, *, outcome: ItemOutcome, document_id: str
    ) -> None:
        """Count an item in the transaction that stores its document.

        Raises: Lost.
        """
        await _settle(conn, job, name, outcome=outcome, document_id=document_id)

    async def put_aside(self, job: Job, name: str, *, code: str, reason: str) -> None:
        """Count an item that could not be taken.

        Raises: Lost.
        """
        async with self._transaction() as conn:
            await _settle(conn, job, name, outcome="set_aside", code=code, reason=reason)

    async def note_unchanged(self, job: Job, name: str, document_id: str) -> None:
        """Count a page that is as it was.

        Raises: Lost.
        """
        async with self._transaction() as conn:
            await _settle(conn, job, name, outcome="unchanged", document_id=document_id)

    async def list_missing(self, job: Job) -> list[str]:
        """Return the documents of the job's collection that none of its files stands for."""
        async with self._pool.connection() as conn:
            rows = await conn.execute(_MISSING, {"collection": job.collection, "job": job.id})
            return [row["id"] async for row in rows]

    async def note_withdrawn(self, job: Job, count: int) -> None:
        """Count what was withdrawn."""
        await self._touch(job, "withdrawn = withdrawn + %(count)s", {"count": count})

    async def read_upload(self, job: Job) -> bytes:
        """Return the file that was sent."""
        async with self._pool.connection() as conn:
            return await select_upload(conn, job.id)

    async def known_page(self, collection: str, url: str) -> tuple[str, str, str] | None:
        """Return what a page's server said, and the document that it is, if it is still found."""
        async with self._pool.connection() as conn:
            rows = await conn.execute(
                "SELECT p.etag, p.last_modified, p.document_id FROM ingest_pages p"
                " WHERE p.collection = %s AND p.url = %s AND EXISTS ("
                "   SELECT FROM search_documents d WHERE d.id = p.document_id AND d.current)",
                [collection, url],
            )
            row = await rows.fetchone()
        return (row["etag"], row["last_modified"], row["document_id"]) if row else None


async def note_page(
    conn: Connection, job: Job, url: str, *, document_id: str, etag: str, last_modified: str
) -> None:
    """Remember what a page's server said."""
    await conn.execute(
        "INSERT INTO ingest_pages (collection, url, document_id, etag, last_modified)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (collection, url) DO UPDATE"
        " SET document_id = excluded.document_id, etag = excluded.etag,"
        " last_modified = excluded.last_modified",
        [job.collection, url, document_id, etag, last_modified],
    )


async def _settle(
    conn: Connection,
    job: Job,
    name: str,
    *,
    outcome: ItemOutcome,
    document_id: str | None = None,
    code: str | None = None,
    reason: str | None = None,
) -> None:
    counted = await conn.execute(_COUNT, {"job": job.id, "epoch": job.epoch, "outcome": outcome})
    if not counted.rowcount:
        raise Lost
    await conn.execute(
        "UPDATE ingest_items SET outcome = %s, document_id = %s, code = %s, reason = %s"
        " WHERE job_id = %s AND name = %s",
        [outcome, document_id, code, reason, job.id, name],
    )
