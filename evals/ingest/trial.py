"""A worker process that reads pages and is killed at random moments; another goes on."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from evals.ingest.pages import SEED
from evals.ingest.store import clear, fingerprint, open_pool
from retrieval.embed.use import UniversalSentenceEncoder
from retrieval.ingest.declared import NOTHING
from retrieval.ingest.jobs.models import Job, NewJob
from retrieval.ingest.jobs.runner import IngestRunner
from retrieval.ingest.jobs.sources import FolderSource
from retrieval.ingest.service import IngestService
from retrieval.stores.pg_jobs import PgJobs
from retrieval.stores.pgvector import PgVectorStore

#: A killed worker's claim runs out after this; short, so that a trial does not wait for it.
CLAIM_S = 3.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial saw.

    Args:
        resident_mb: of the worker, at intervals, once it had warmed up.
    """

    job: Job
    chunks: str
    chunk_count: int
    vectors: int
    kills: int
    seconds: float
    resident_mb: tuple[float, ...]


async def work(url: str, job_id: UUID, *, embed: bool) -> None:
    """Run one job to its end and give its passages vectors, as a worker does."""
    pool = await open_pool(url)
    embedder = UniversalSentenceEncoder(threads=1) if embed else None
    service = IngestService(PgVectorStore(pool), embedder)
    jobs = PgJobs(pool, claim_s=CLAIM_S)
    runner = IngestRunner(jobs, service, {"folder": FolderSource()})
    while not (await jobs.get(job_id)).has_ended:
        if not await runner.run_next(only=job_id):
            await asyncio.sleep(0.2)
    while await service.embed_pending(64):
        pass
    await pool.close()


async def run_trial(url: str, folder: Path, *, kills: int, pages: int, embed: bool) -> Trial:
    """Ingest a folder into an empty index, with so many kills at random moments."""
    await clear(url)
    job = NewJob(
        id=uuid4(),
        source="folder",
        place=str(folder),
        collection="pages",
        declared=NOTHING,
        complete=True,
    )
    pool = await open_pool(url)
    jobs = PgJobs(pool)
    await jobs.add(job)
    began = time.monotonic()
    worker = Worker(url, job.id, embed=embed)
    moments = sorted(random.Random(SEED + kills).sample(range(pages // 20, pages), kills))  # noqa: S311
    resident: list[float] = []
    for moment in [*moments, None]:
        resident += await worker.run_until(jobs, moment)
    found = await jobs.get(job.id)
    digest, count, vectors = await fingerprint(pool)
    await pool.close()
    seconds = time.monotonic() - began
    return Trial(found, digest, count, vectors, worker.killed, seconds, tuple(resident))


class Worker:
    """A worker process: killed and followed by another."""

    def __init__(self, url: str, job_id: UUID, *, embed: bool) -> None:
        self._command = [sys.executable, "-m", "evals.ingest", "--work", str(job_id)]
        self._command += ["--embed"] if embed else []
        self._environment = {**os.environ, "ORIENTA_DATABASE_URL": url}
        self._job_id = job_id
        self.killed = 0

    async def run_until(self, jobs: PgJobs, moment: int | None) -> list[float]:
        """Let a process work until so many pages are done, then kill it; None: to its end."""
        process = subprocess.Popen(  # noqa: ASYNC220, S603 (this program itself)
            self._command,
            env=self._environment,
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )
        resident: list[float] = []
        while process.poll() is None:
            await asyncio.sleep(0.1)
            done = (await jobs.get(self._job_id)).items_done
            resident.append(_resident_mb(process.pid))
            if moment is not None and done >= moment:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                self.killed += 1
                return []
        if process.returncode:
            raise RuntimeError(f"the worker ended with {process.returncode}")
        return resident


def _resident_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    line = next((x for x in status.splitlines() if x.startswith("VmRSS:")), "VmRSS: 0 kB")
    return int(line.split()[1]) / 1024


def growth(resident: tuple[float, ...]) -> float:
    """Return by how much the memory of the last quarter exceeds that of the second, 1 for none."""
    known = [r for r in resident if r]
    quarter = max(len(known) // 4, 1)
    return max(known[-quarter:]) / max(max(known[quarter : 2 * quarter], default=1.0), 1.0)
