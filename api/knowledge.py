"""Use cases of the people who look after the knowledge: bring documents, and take them away."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from api.course_index import COLLECTION as COURSES
from api.ingests import StartIngest, keep_upload, renewing, unknown_document
from crm.actor import Actor
from crm.db import Connection, Database
from crm.errors import NotFound, RuleBroken
from crm.ids import INSTITUTION, new_id
from crm.journal.audit import AuditEntry, performed
from crm.journal.idempotency import IdempotencyKey
from crm.once import do_once
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.uploads import Upload, spooled
from retrieval.errors import Unreadable
from retrieval.ingest.declared import Declared
from retrieval.ingest.jobs.models import AsideItem, Job, NewJob
from retrieval.ingest.service import IngestService
from retrieval.ingest.web.addresses import WebPolicy
from retrieval.models import Language
from retrieval.stores import pg_catalogue, pg_documents, pg_jobs
from retrieval.stores.pg_catalogue import CatalogueEntry, VersionEntry


class KnowledgeDesk:
    """Keeps the institution's documents; every change is audited.

    Args:
        max_bytes: of a file that is sent.
        policy: whose pages may be read.
    """

    def __init__(
        self,
        database: Database,
        ingest: IngestService,
        *,
        max_bytes: int,
        policy: WebPolicy,
        language: Language,
    ) -> None:
        self._db = database
        self._ingest = ingest
        self._max_bytes = max_bytes
        self._policy = policy
        self._language = language

    # --- documents -------------------------------------------------------------------------------

    async def list(
        self, filters: Mapping[str, str | None], *, on: date, cursor: str | None, limit: int
    ) -> Page[CatalogueEntry]:
        """Return documents by id.

        Raises: RuleBroken("page.cursor").
        """
        after = decode_cursor(cursor, str)
        async with self._db.read() as conn:
            rows = await pg_catalogue.select_entries(
                conn, filters, on=on, after=after[0] if after else "", limit=limit + 1
            )
        return page_of(rows, limit, lambda row: encode_cursor(row.id))

    async def get(self, document_id: str, *, on: date) -> CatalogueEntry:
        """Return a document.

        Raises: NotFound("knowledge.unknown").
        """
        async with self._db.read() as conn:
            rows = await pg_catalogue.select_entries(
                conn, {"id": document_id}, on=on, after="", limit=1
            )
        if not rows:
            raise unknown_document()
        return rows[0]

    async def versions(
        self, document_id: str, *, on: date, cursor: str | None, limit: int
    ) -> Page[VersionEntry]:
        """Return a document's versions, the newest first.

        Raises: NotFound("knowledge.unknown"); RuleBroken("page.cursor").
        """
        below = decode_cursor(cursor, int)
        async with self._db.read() as conn:
            rows = await pg_catalogue.select_versions(
                conn,
                document_id,
                on=on,
                below=min(below[0], _LAST) if below else _LAST,
                limit=limit + 1,
            )
        if not rows and below is None:
            raise unknown_document()
        return page_of(rows, limit, lambda row: encode_cursor(row.version))

    async def withdraw(
        self, document_id: str, *, on: date, actor: Actor, key: IdempotencyKey | None
    ) -> CatalogueEntry:
        """Let a document be found no more, at once; its citations still open.

        Raises: NotFound("knowledge.unknown").
        """
        async with self._db.transaction() as uow:

            async def act() -> str:
                await _require(uow.conn, document_id)
                await pg_documents.withdraw(uow.conn, [document_id])
                await pg_jobs.forget_pages(uow.conn, [document_id])
                uow.audit(_entry(actor, "knowledge.withdraw", {"document_id": document_id}))
                return document_id

            await do_once(uow, key, {"withdraw": document_id}, act, kind=str)
        return await self.get(document_id, on=on)

    async def delete(self, document_id: str, *, actor: Actor, key: IdempotencyKey | None) -> None:
        """Remove a document with every version, passage and vector, for good.

        Raises: NotFound("knowledge.unknown").
        """
        async with self._db.transaction() as uow:

            async def act() -> int:
                await _require(uow.conn, document_id)
                await pg_jobs.forget_pages(uow.conn, [document_id])
                gone = await pg_documents.delete(uow.conn, [document_id])
                found = {"document_id": document_id, "versions": gone}
                uow.audit(_entry(actor, "knowledge.delete", found))
                return gone

            await do_once(uow, key, {"delete": document_id}, act, kind=int)
        # Its words are forgotten, too: typos are corrected to words that there are.
        await self._ingest.refresh()

    # --- ingests ---------------------------------------------------------------------------------

    async def upload(
        self,
        command: StartIngest,
        content: AsyncIterator[bytes],
        *,
        on: date,
        actor: Actor,
        key: IdempotencyKey | None,
    ) -> Job:
        """Keep a file for workers to read.

        Args:
            on: the day whose version of a document it renews, if it renews one.

        Raises:
            RuleBroken("knowledge.size" | "knowledge.empty" | "knowledge.replaces").
            NotFound("knowledge.unknown"): there is nothing to renew.
        """
        async with spooled(content, max_bytes=self._max_bytes, area="knowledge") as upload:
            return await self._start(command, actor=actor, key=key, upload=upload, on=on)

    async def read_sitemap(
        self, command: StartIngest, *, actor: Actor, key: IdempotencyKey | None
    ) -> Job:
        """Let workers read the pages of a sitemap.

        Raises: RuleBroken: the address is none that may be read.
        """
        try:
            await self._policy.target(command.place)
        except Unreadable as reason:
            raise RuleBroken(reason.code, reason.safe_message) from reason
        return await self._start(command, actor=actor, key=key)

    async def read_folder(
        self, command: StartIngest, *, actor: Actor, claim_s: float | None
    ) -> Job:
        """Let workers read a folder of their machine; only the command line asks for it.

        Args:
            claim_s: the caller runs it at once; None leaves it to a worker.
        """
        return await self._start(command, actor=actor, key=None, claim_s=claim_s)

    async def _start(
        self,
        command: StartIngest,
        *,
        actor: Actor,
        key: IdempotencyKey | None,
        upload: Upload | None = None,
        on: date | None = None,
        claim_s: float | None = None,
    ) -> Job:
        if command.collection == COURSES:
            raise RuleBroken("knowledge.collection", "This collection belongs to the catalogue.")
        digest = upload.sha256.hex() if upload else ""
        async with self._db.transaction() as uow:

            async def act() -> str:
                meant = await renewing(uow.conn, command, on=on) if on else command
                job = self._new_job(meant, actor)
                await pg_jobs.insert_job(uow.conn, job, claim_s=claim_s)
                if upload:
                    await keep_upload(uow.conn, job.id, upload)
                payload = {"source": command.source, "place": command.place, "sha256": digest}
                uow.audit(_entry(actor, "knowledge.ingest", {**payload, "job_id": str(job.id)}))
                return str(job.id)

            arguments = {**asdict(command), "sha256": digest}
            job_id = UUID(await do_once(uow, key, arguments, act, kind=str))
            return await _job(uow.conn, job_id)

    def _new_job(self, command: StartIngest, actor: Actor) -> NewJob:
        return NewJob(
            id=new_id(),
            source=command.source,
            place=command.place,
            collection=command.collection,
            declared=Declared(_given(command.defaults), _given(command.fields), self._language),
            complete=command.complete,
            staff_id=actor.staff_id,
        )

    async def get_job(self, job_id: UUID) -> Job:
        """Return an ingest and how far it is.

        Raises: NotFound("ingest.unknown").
        """
        async with self._db.read() as conn:
            return await _job(conn, job_id)

    async def list_jobs(self, *, cursor: str | None, limit: int) -> Page[Job]:
        """Return ingests, the newest first.

        Raises: RuleBroken("page.cursor").
        """
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.read() as conn:
            rows = await pg_jobs.select_jobs(conn, after=after, limit=limit + 1)
        return page_of(rows, limit, lambda row: encode_cursor(row.created_at, row.id))

    async def list_aside(self, job_id: UUID, *, cursor: str | None, limit: int) -> Page[AsideItem]:
        """Return the files or pages of an ingest that could not be taken, by name.

        Raises: NotFound("ingest.unknown"); RuleBroken("page.cursor").
        """
        after = decode_cursor(cursor, str)
        async with self._db.read() as conn:
            await _job(conn, job_id)
            rows = await pg_jobs.select_aside(
                conn, job_id, after=after[0] if after else "", limit=limit + 1
            )
        return page_of(rows, limit, lambda item: encode_cursor(item.name))

    async def cancel(self, job_id: UUID, *, actor: Actor) -> Job:
        """Stop an ingest; what it has brought stays.

        Raises: NotFound("ingest.unknown").
        """
        async with self._db.transaction() as uow:
            job = await _job(uow.conn, job_id, lock=True)
            if not job.has_ended:
                await pg_jobs.end_job(uow.conn, job_id, "cancelled")
                found = {"job_id": str(job_id), "items_done": job.items_done}
                uow.audit(_entry(actor, "knowledge.cancel", found))
            return await _job(uow.conn, job_id)

    async def forget_jobs(self, *, older_than: timedelta, limit: int = 100) -> int:
        """Delete what is known of ingests that ended long ago; returns how many."""
        async with self._db.transaction() as uow:
            before = uow.clock.now() - older_than
            return await pg_jobs.forget_jobs(uow.conn, before=before, limit=limit)


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


_LAST = 2**31 - 1


async def _require(conn: Connection, document_id: str) -> None:
    if not await pg_catalogue.is_knowledge(conn, document_id):
        raise unknown_document()


async def _job(conn: Connection, job_id: UUID, *, lock: bool = False) -> Job:
    job = await pg_jobs.select_job(conn, job_id, lock=lock)
    if job is None:
        raise NotFound("ingest.unknown", "There is no such ingest.")
    return job


def _entry(actor: Actor, action: str, payload: Mapping[str, object]) -> AuditEntry:
    return performed(actor, action, payload=payload, about=INSTITUTION)
