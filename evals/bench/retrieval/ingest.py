"""What one more document costs where there are many."""

import time
from collections.abc import Awaitable, Callable
from statistics import median

from evals.bench.figure import Figure
from evals.bench.retrieval.corpus import Corpus, Pool
from retrieval.ingest.chunk import chunk_document
from retrieval.models import Document
from retrieval.stores.pgvector import PgVectorStore
from retrieval.stores.protocol import Origin, ReadyVectors

_REPEATS = 5
_AIM_MS = 200.0


async def measure_ingest(pool: Pool, corpus: Corpus) -> list[Figure]:
    """Save a changed document, bring the statistics in step, and remove it."""
    index = PgVectorStore(pool)
    saved: list[float] = []
    counted: list[float] = []
    for n in range(_REPEATS):
        document = _document(n)
        chunks = chunk_document(document)
        vector = next(iter(corpus.passages.values())).vectors[n]
        ready = ReadyVectors(corpus.embedder_id, {c.text_hash: vector for c in chunks})
        saved.append(
            await _timed(
                lambda d=document, c=chunks, r=ready: index.save(  # type: ignore[misc]
                    d, c, origin=Origin("bench"), ready=r
                )
            )
        )
        counted.append(
            await _timed(index.refresh_statistics)
            + await _timed(lambda: index.refresh_centres(corpus.embedder_id))
        )
    await index.delete([_document(0).id])
    await index.refresh_statistics()
    return [
        Figure(part="retrieval", name="one document saved", unit="ms", value=median(saved)),
        Figure(
            part="retrieval",
            name="statistics in step after one document",
            unit="ms",
            value=median(counted),
            aim=_AIM_MS,
            aim_on="value",
        ),
    ]


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1_000


def _document(n: int) -> Document:
    return Document(
        id="kb:bench-one:es",
        kind="knowledge",
        slug="bench-one",
        language="es",
        title="Uno más",
        body="\n\n".join(f"## Parte {p}\n\nTexto {n} de la parte {p}." for p in range(5)),
    )
