"""Embedding in workers: shared, resumable, and replaced when the embedder changes."""

from __future__ import annotations

import asyncio

import pytest

from retrieval.embed.use import UniversalSentenceEncoder
from retrieval.errors import EmbedderUnavailable
from retrieval.ingest.service import IngestService
from retrieval.models import Document
from retrieval.search import KnowledgeSearch
from retrieval.stores.pgvector import PgVectorStore, Pool
from tests.counting_embedder import Counting, documents, drain
from tests.integration.retrieval.conftest import TODAY


async def test_two_workers_share_the_work_without_repeating_any(
    store: PgVectorStore, second_store: PgVectorStore
) -> None:
    embedder = Counting()
    workers = [IngestService(s, embedder) for s in (store, second_store)]
    await workers[0].ingest_documents(documents(25), collection="x")
    await asyncio.gather(*(drain(w, 7) for w in workers for _ in range(2)))
    assert await workers[0].pending() == 0
    assert len(embedder.texts) == 100
    assert set(embedder.texts.values()) == {1}


async def test_a_failing_embedder_gives_its_chunks_back(store: PgVectorStore) -> None:
    embedder = Counting()
    service = IngestService(store, embedder)
    await service.ingest_documents(documents(1), collection="x")
    embedder.fails = True
    with pytest.raises(EmbedderUnavailable):
        await service.embed_pending(10)
    embedder.fails = False
    assert await service.embed_pending(10) == 0
    assert await service.pending() == 0


async def test_a_claim_of_a_killed_worker_expires(store: PgVectorStore, pool: Pool) -> None:
    embedder = Counting()
    service = IngestService(store, embedder)
    await service.ingest_documents(documents(1), collection="x")
    assert len(await store.claim_pending(embedder.id, limit=10)) == 4
    assert await service.embed_pending(10) == 0
    assert await service.pending() == 4
    async with pool.connection() as conn:
        await conn.execute("UPDATE search_claims SET claimed_until = now() - interval '1 s'")
    assert await service.embed_pending(10) == 0
    assert await service.pending() == 0


async def test_a_chunk_that_is_replaced_while_it_is_embedded_stays_right(
    store: PgVectorStore,
) -> None:
    embedder = Counting()
    service = IngestService(store, embedder)
    (document,) = documents(1)
    await service.ingest_documents([document], collection="x")
    claimed = await store.claim_pending(embedder.id, limit=10)
    changed = Document(
        id=document.id, kind="knowledge", slug="doc-0", language="es", title="T", body="Otro texto."
    )
    await service.ingest_documents([changed], collection="x")
    rows = await embedder.embed_passages([c.embedding_text for c in claimed])
    await store.attach(embedder.id, {c.id: r for c, r in zip(claimed, rows, strict=True)})
    assert await service.pending() == 1


async def test_no_embedder_means_nothing_to_do(store: PgVectorStore) -> None:
    service = IngestService(store, None)
    await service.ingest_documents(documents(1), collection="x")
    assert await service.embed_pending() == 0


async def test_search_goes_from_words_to_both_as_vectors_arrive(
    store: PgVectorStore, fast: UniversalSentenceEncoder
) -> None:
    service = IngestService(store, fast)
    await service.ingest_documents(documents(3), collection="x")
    search = KnowledgeSearch(store, fast)

    async def mode() -> tuple[str, int]:
        result = await search.search(
            "texto del documento",
            kind="knowledge",
            audiences=frozenset({"public"}),
            on=TODAY,
            query_language="es",
        )
        return result.mode, len(result.hits)

    assert await mode() == ("lexical", 5)
    await service.embed_pending(2)
    assert await mode() == ("hybrid", 5)
    await drain(service, 10)
    assert await mode() == ("hybrid", 5)
