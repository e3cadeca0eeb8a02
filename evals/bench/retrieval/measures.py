"""Times searches and counts what they find."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from evals.bench.retrieval.corpus import Corpus
from evals.bench.retrieval.processor import process_ms
from evals.bench.retrieval.questions import Question, scope_of, truly_nearest
from evals.bench.statistics import Sample, Times, percentile, times_of
from retrieval.models import LANGUAGES
from retrieval.stores.pgvector import PgVectorStore

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]
Ask = Callable[[Question], Awaitable[object]]

MOST = 10
CANDIDATES = 100


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured.

    Args:
        repeats: rounds over all questions; the first one more only warms up.
    """

    passages: int = 100_000
    questions: int = 60
    repeats: int = 3
    peer_questions: int = 10


@dataclass(frozen=True, slots=True)
class Found:
    """How much of the truly nearest a search found, and what it took.

    Args:
        server_p95: milliseconds that the server's process computed; None if untold.
    """

    recall: float
    times: Times
    server_p95: float | None


async def time_questions(
    ways: Mapping[str, Ask], questions: Sequence[Question], *, repeats: int
) -> dict[str, Times]:
    """Ask every question each way, the ways by turns, so that noise meets all of them."""
    taken: dict[str, list[list[Sample]]] = {name: [] for name in ways}
    for repeat in range(repeats + 1):
        samples: dict[str, list[Sample]] = {name: [] for name in ways}
        for question in questions:
            for name, ask in ways.items():
                samples[name].append(await _sample(ask, question))
        if repeat:  # the first only warms up
            for name, own in samples.items():
                taken[name].append(own)
    return {name: times_of(rounds) for name, rounds in taken.items()}


async def _sample(ask: Ask, question: Question) -> Sample:
    began, computed = time.perf_counter(), time.process_time()
    await ask(question)
    return Sample((time.perf_counter() - began) * 1_000, (time.process_time() - computed) * 1_000)


async def measure_nearest(
    pool: Pool, corpus: Corpus, questions: Sequence[Question], *, topic: str | None, repeats: int
) -> Found:
    """Look for the nearest passages of each question in its language.

    Args:
        pool: of one connection, whose server process is watched.
    """
    store, scope = PgVectorStore(pool), scope_of(topic, corpus)
    async with pool.connection() as conn:
        pid = conn.info.backend_pid
    computed: list[float] = []
    seen: dict[str, set[int]] = {}

    async def ask(question: Question) -> None:
        before = process_ms(pid)
        found = await store.search_dense(
            scope,
            question.language,
            question.vector,
            embedder_id=corpus.embedder_id,
            also=(),
            limit=CANDIDATES,
        )
        after = process_ms(pid)
        if before is not None and after is not None:
            computed.append(after - before)
        seen[question.text] = {m.chunk_id for m in found[:MOST]}

    times = (await time_questions({"": ask}, questions, repeats=repeats))[""]
    server = percentile(computed[len(questions) :], 95) if computed else None
    return Found(_recall(corpus, questions, seen, topic=topic), times, server)


def _recall(
    corpus: Corpus,
    questions: Sequence[Question],
    seen: Mapping[str, set[int]],
    *,
    topic: str | None,
) -> float:
    shares = []
    for language in LANGUAGES:
        own = [q for q in questions if q.language == language]
        vectors = np.stack([q.vector for q in own])
        nearest = truly_nearest(corpus, language, vectors, topic=topic, most=MOST)
        shares += [
            len(seen[q.text] & true) / len(true) for q, true in zip(own, nearest, strict=True)
        ]
    return fmean(shares)
