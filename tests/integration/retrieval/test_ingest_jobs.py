"""Ingests in the background: each file once, whoever dies, and nothing bad stops the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from retrieval.ingest.declared import NOTHING, Declared
from retrieval.ingest.jobs.models import Job, NewJob, SourceKind
from retrieval.ingest.jobs.runner import IngestRunner
from retrieval.ingest.jobs.sources import FolderSource, Source, UploadSource
from retrieval.ingest.service import IngestService
from retrieval.stores import pg_jobs
from retrieval.stores.pg_jobs import PgJobs
from retrieval.stores.pgvector import PgVectorStore, Pool
from retrieval.stores.protocol import Scope
from tests.files import docx, pdf
from tests.integration.retrieval.conftest import TODAY

KNOWLEDGE = Scope("knowledge", frozenset({"public", "students", "staff"}), TODAY)
TEXT = "Las becas se piden en la secretaría durante el mes de marzo de cada año."


class Desk:
    """Jobs over a folder, and a runner for them."""

    def __init__(self, pool: Pool, store: PgVectorStore, folder: Path, **more: Source) -> None:
        self.jobs = PgJobs(pool, claim_s=0.4)
        self.store = store
        self.folder = folder
        self.sources: Mapping[SourceKind, Source] = {
            "folder": FolderSource(),
            "upload": UploadSource(self.jobs),
            **more,
        }
        self.runner = self.another()

    def another(self) -> IngestRunner:
        """Return a runner as another process would have it."""
        return IngestRunner(self.jobs, IngestService(self.store, None), self.sources)

    async def start(self, *, complete: bool = True, declared: Declared = NOTHING) -> UUID:
        job = NewJob(
            id=uuid4(),
            source="folder",
            place=str(self.folder),
            collection="knowledge",
            declared=declared,
            complete=complete,
        )
        await self.jobs.add(job)
        return job.id

    async def run(self) -> Job:
        job_id = await self.start()
        assert await self.runner.run_next()
        return await self.jobs.get(job_id)

    async def found(self) -> set[str]:
        return {d.slug for d in await self.store.list_documents(KNOWLEDGE, limit=500)}


@pytest.fixture
async def desk(pool: Pool, store: PgVectorStore, tmp_path: Path) -> Desk:
    async with pool.connection() as conn:
        await conn.execute("TRUNCATE ingest_jobs CASCADE")
    for n in range(12):
        (tmp_path / f"doc-{n:02}.md").write_text(f"# Documento {n}\n\n{TEXT}", encoding="utf-8")
    return Desk(pool, store, tmp_path)


async def test_every_file_is_read_once_and_counted(desk: Desk) -> None:
    first = await desk.run()
    assert (first.status, first.items_total, first.items_done, first.added) == ("done", 12, 12, 12)
    second = await desk.run()
    assert (second.unchanged, second.added, second.withdrawn) == (12, 0, 0)
    (desk.folder / "doc-03.md").unlink()
    third = await desk.run()
    assert (third.unchanged, third.withdrawn) == (11, 1)
    assert len(await desk.found()) == 11


async def test_files_of_every_kind_are_read_and_bad_ones_set_aside(desk: Desk) -> None:
    (desk.folder / "plazos.pdf").write_bytes(pdf([("h1", "Plazos"), ("p", TEXT)]))
    (desk.folder / "cuotas.docx").write_bytes(docx([("h1", "Cuotas"), ("p", TEXT)]))
    (desk.folder / "notas.txt").write_text(TEXT, encoding="utf-8")
    (desk.folder / "roto.pdf").write_bytes(b"%PDF-1.7 nada")
    (desk.folder / "doble.md").write_text(f"---\nslug: notas\n---\n\n{TEXT}", encoding="utf-8")
    job = await desk.run()
    assert (job.status, job.added, job.set_aside) == ("done", 15, 2)
    aside = await desk.jobs.list_aside(job.id, limit=10)
    assert [(a.name, a.code) for a in aside] == [
        ("notas.txt", "ingest.twice"),
        ("roto.pdf", "ingest.pdf"),
    ]
    assert {"plazos", "cuotas", "notas"} <= await desk.found()


async def test_a_file_that_went_bad_keeps_its_document(desk: Desk) -> None:
    (desk.folder / "plazos.pdf").write_bytes(pdf([("p", TEXT)]))
    await desk.run()
    (desk.folder / "plazos.pdf").write_bytes(b"%PDF-1.7 nada")
    job = await desk.run()
    assert (job.set_aside, job.withdrawn) == (1, 0)
    assert "plazos" in await desk.found()


async def test_two_runners_share_no_job(desk: Desk) -> None:
    await desk.start()
    await asyncio.gather(*(desk.another().run_next() for _ in range(3)))
    assert len(await desk.found()) == 12
    assert not await desk.runner.run_next()


async def test_what_is_left_when_the_time_is_up_another_goes_on_with(desk: Desk) -> None:
    job_id = await desk.start()
    turns = 0
    while await desk.another().run_next(is_over=lambda: True):
        turns += 1
    job = await desk.jobs.get(job_id)
    assert (job.status, job.added, turns) == ("done", 12, 13)


async def test_who_lost_a_job_writes_no_more(desk: Desk) -> None:
    job_id = await desk.start()
    stale = await desk.jobs.claim()
    assert stale is not None
    await desk.jobs.release(stale)
    fresh = await desk.jobs.claim()
    assert fresh is not None
    await desk.runner.run(stale)
    assert await desk.found() == set()
    await desk.runner.run(fresh)
    assert (await desk.jobs.get(job_id)).added == 12


async def test_a_cancelled_job_stops_and_keeps_what_came(desk: Desk, pool: Pool) -> None:
    job_id = await desk.start()
    await desk.runner.run_next(is_over=lambda: True)
    async with pool.connection() as conn, conn.transaction():
        await pg_jobs.end_job(conn, job_id, "cancelled")
    assert not await desk.runner.run_next()
    assert len(await desk.found()) == 1


async def test_a_folder_that_is_not_there_fails_the_job_and_withdraws_nothing(desk: Desk) -> None:
    await desk.run()
    desk.folder = desk.folder / "absent"
    job = await desk.run()
    assert (job.status, job.error_code) == ("failed", "ingest.folder")
    assert len(await desk.found()) == 12


async def test_a_file_that_ends_the_process_three_times_is_set_aside(desk: Desk) -> None:
    job_id = await desk.start()
    for _ in range(4):  # taken up, listed, and gone without a word
        job = await desk.jobs.claim()
        assert job is not None
        await desk.jobs.add_items(job, ["doc-00.md"])
        await asyncio.sleep(desk.jobs.claim_s)
    assert await desk.runner.run_next()
    job = await desk.jobs.get(job_id)
    assert (job.status, job.set_aside, job.added) == ("done", 1, 11)
    (aside,) = await desk.jobs.list_aside(job_id, limit=5)
    assert (aside.name, aside.code) == ("doc-00.md", "ingest.crash")


async def test_what_is_declared_for_a_job_holds_for_its_files(desk: Desk) -> None:
    await desk.start(declared=Declared(defaults={"audience": "staff", "topic": "rules"}))
    await desk.runner.run_next()
    found = await desk.store.get_document("kb:doc-01:es", on=TODAY)
    assert found is not None
    assert (found.audience, found.topic) == ("staff", "rules")
