"""Fills an index with made-up passages, as an ingest and a worker would leave it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from evals.bench.retrieval import store
from evals.bench.retrieval.passages import Passages, make_up
from retrieval.embed.cache import load_vector_cache
from retrieval.ingest.catalogue import read_institution
from retrieval.ingest.chunk import chunk_document
from retrieval.models import LANGUAGES, Chunk, Language, hash_text
from retrieval.stores import pg_embedders
from retrieval.stores.pgvector import PgVectorStore

DEMO = Path("api/demo")
AUDIENCE = "public"
_CHUNKS_A_DOCUMENT = 5
_SEED = 7

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was loaded.

    Args:
        ids: of the chunks, by language, in the order of the passages.
        day: on which it is searched; all passages hold on any.
    """

    embedder_id: str
    passages: Mapping[Language, Passages]
    ids: Mapping[Language, list[int]]
    day: date = date(2026, 1, 1)


def real_chunks() -> dict[Language, list[Chunk]]:
    """Return the demo's own passages."""
    chunks: dict[Language, list[Chunk]] = {language: [] for language in LANGUAGES}
    for document in read_institution(DEMO / "institution"):
        chunks[document.language] += chunk_document(document)
    return chunks


def make_passages(embedder_id: str, count: int) -> dict[Language, Passages]:
    """Make passages up after the demo's own and the vectors that ship with them."""
    cache = load_vector_cache(DEMO / "vectors", embedder_id)
    made = {}
    for n, (language, chunks) in enumerate(real_chunks().items()):
        found = [v for c in chunks if (v := cache.get(c.text_hash)) is not None]
        made[language] = make_up(
            language,
            count // len(LANGUAGES),
            texts=[c.text for c in chunks],
            vectors=np.stack(found).astype(np.float32),
            seed=_SEED + n,
        )
    return made


async def load_corpus(
    pool: Pool, embedder_id: str, *, passages: int, say: Callable[[str], None]
) -> Corpus:
    """Replace what the index holds by made-up passages, half of them in each language."""
    say(f"making up {passages:,} passages")
    made = await asyncio.to_thread(make_passages, embedder_id, passages)
    ids = {}
    async with pool.connection() as conn:
        await store.empty(conn)
        dimensions = next(iter(made.values())).vectors.shape[1]
        await pg_embedders.enrol(conn, embedder_id, dimensions)
        for language, own in made.items():
            async with conn.transaction():
                await store.copy_documents(conn, _documents(own))
                await store.copy_chunks(conn, _chunks(own))
                ids[language] = await store.chunk_ids(conn, language)
                await store.copy_vectors(conn, _vectors(own, ids[language], embedder_id))
    say("counting words")
    index = PgVectorStore(pool)
    await index.refresh_statistics()
    await index.refresh_centres(embedder_id)
    return Corpus(embedder_id, made, ids)


def _named(passages: Passages) -> Iterator[tuple[str, str, int, str]]:
    for n, text in enumerate(passages.texts):
        slug = f"p{n // _CHUNKS_A_DOCUMENT:07d}"
        yield f"kb:{slug}:{passages.language}", slug, n % _CHUNKS_A_DOCUMENT, text


def _documents(passages: Passages) -> Iterator[Sequence[object]]:
    for document_id, slug, ordinal, text in _named(passages):
        if ordinal == 0:
            yield (
                document_id, 1, True, "knowledge", slug, passages.language, AUDIENCE, "", slug,
                "markdown", text, "", "{}", "bench", "", b"", b"",
            )  # fmt: skip


def _chunks(passages: Passages) -> Iterator[Sequence[object]]:
    named = zip(_named(passages), passages.topics, strict=True)
    for (document_id, slug, ordinal, text), topic in named:
        yield (
            document_id, 1, ordinal, "knowledge", slug, passages.language, AUDIENCE, topic, "",
            slug, text, len(text.split()), hash_text(text),
        )  # fmt: skip


def _vectors(
    passages: Passages, ids: Sequence[int], embedder_id: str
) -> Iterator[Sequence[object]]:
    for chunk_id, vector in zip(ids, passages.vectors, strict=True):
        text = f"[{','.join(f'{x:.6g}' for x in vector.tolist())}]"
        yield chunk_id, embedder_id, "knowledge", passages.language, text
