"""Runs ingests, a document a transaction; whoever dies is followed by another."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from uuid import UUID

import psycopg

from retrieval.errors import Unreadable
from retrieval.ingest.declared import Declared
from retrieval.ingest.jobs.models import Fetched, Job, NotChanged, SourceKind
from retrieval.ingest.jobs.sources import Source
from retrieval.ingest.reader import FileReader, Reading
from retrieval.ingest.service import IngestService
from retrieval.stores.pg_jobs import Connection, Lost, PgJobs, declared_of, note_page
from retrieval.stores.protocol import Origin, SaveOutcome

_log = logging.getLogger(__name__)

_BATCH = 100
#: A file that was next when the process ended so often is not tried again.
_MAX_ATTEMPTS = 3

Progress = Callable[[Job, str, int], None]


def never() -> bool:
    """Go on until the end."""
    return False


class IngestRunner:
    """Takes up jobs that are due, in any number of processes at once."""

    def __init__(
        self, jobs: PgJobs, ingest: IngestService, sources: Mapping[SourceKind, Source]
    ) -> None:
        self._jobs = jobs
        self._ingest = ingest
        self._sources = sources

    async def run_next(
        self,
        *,
        is_over: Callable[[], bool] = never,
        report: Progress | None = None,
        only: UUID | None = None,
    ) -> bool:
        """Take up a job and go on with it until it ends.

        Args:
            is_over: asked after each document; True leaves the rest to the next runner.
            report: told which file was taken and how many are done.
            only: this job and no other.
        Returns: False when none was due.
        """
        job = await self._jobs.claim(only)
        if job is not None:
            await self.run(job, is_over=is_over, report=report)
        return job is not None

    async def run(
        self,
        job: Job,
        *,
        is_over: Callable[[], bool] = never,
        report: Progress | None = None,
    ) -> None:
        """Go on with a job that this process has."""
        try:
            async with self._holding(job):
                has_ended = await self._go_on(job, is_over, report)
            if not has_ended:
                await self._jobs.release(job)
        except Lost:
            _log.info("ingest %s was taken over or stopped", job.id)
        except Unreadable as reason:
            with suppress(Lost):
                await self._jobs.end(job, "failed", code=reason.code, reason=reason.safe_message)
        finally:
            await self._sources[job.source].close(job)

    @asynccontextmanager
    async def _holding(self, job: Job) -> AsyncIterator[None]:
        """Keep the claim alive, however long a file takes."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(self._jobs.claim_s / 4)
                await self._jobs.renew(job)

        keeper = asyncio.create_task(renew())
        try:
            yield
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError, Lost, psycopg.Error):
                await keeper

    async def _go_on(self, job: Job, is_over: Callable[[], bool], report: Progress | None) -> bool:
        """Take what waits; False when the time is up before the end."""
        source, done = self._sources[job.source], job.items_done
        if not job.listed:
            async for names in source.names(job):
                await self._jobs.add_items(job, names)
                await self._jobs.renew(job)
            await self._jobs.mark_listed(job)
        declared = declared_of(job)
        async with self._ingest.open_reader() as reader:
            while items := await self._jobs.waiting(job, limit=_BATCH):
                for name, attempts in items:
                    await self._take(
                        job, name, attempts, source=source, reader=reader, declared=declared
                    )
                    done += 1
                    if report:
                        report(job, name, done)
                    if is_over():
                        return False
        await self._finish(job)
        return True

    async def _take(
        self,
        job: Job,
        name: str,
        attempts: int,
        *,
        source: Source,
        reader: FileReader,
        declared: Declared,
    ) -> None:
        try:
            _check_attempts(attempts)
            found = await source.fetch(job, name)
            if isinstance(found, NotChanged):
                await self._jobs.note_unchanged(job, name, found.document_id)
                return
            known = replace(declared, fixed={**found.fixed, **declared.fixed})
            reading = await reader.read(found.name, found.content, known, charset=found.charset)
            await self._store(job, name, found, reading)
        except Unreadable as reason:
            await self._jobs.put_aside(job, name, code=reason.code, reason=reason.safe_message)
        except (psycopg.DataError, UnicodeEncodeError):
            await self._jobs.put_aside(
                job, name, code="ingest.text", reason="The file holds what cannot be stored."
            )

    async def _store(self, job: Job, name: str, found: Fetched, reading: Reading) -> None:
        document = reading.document
        owner = await self._jobs.owner_of(job, document.id)
        if owner is not None:
            raise Unreadable("ingest.twice", f"{owner} has the same slug and language.")

        async def note(conn: Connection, outcome: SaveOutcome) -> None:
            await self._jobs.note(conn, job, name, outcome=outcome, document_id=document.id)
            if found.etag or found.last_modified:
                await note_page(
                    conn,
                    job,
                    name,
                    document_id=document.id,
                    etag=found.etag,
                    last_modified=found.last_modified,
                )

        await self._ingest.store(reading, Origin(job.collection, name), note=note)

    async def _finish(self, job: Job) -> None:
        if job.complete and (missing := await self._jobs.list_missing(job)):
            gone = await self._ingest.withdraw(missing)
            await self._jobs.note_withdrawn(job, gone)
        await self._jobs.renew(job)
        await self._ingest.refresh()
        await self._jobs.end(job, "done", code=None, reason=None)


def _check_attempts(attempts: int) -> None:
    if attempts >= _MAX_ATTEMPTS:
        raise Unreadable("ingest.crash", "The process ended at this file, again and again.")
