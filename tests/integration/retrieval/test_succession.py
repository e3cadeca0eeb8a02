"""One embedder follows another: the old one serves until the new one is complete."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retrieval.embed.serving import ServingEmbedder
from retrieval.embed.succession import Succession
from retrieval.errors import EmbedderUnavailable
from retrieval.ingest.service import IngestService
from retrieval.search import KnowledgeSearch
from retrieval.stores.pg_embedders import index_name
from retrieval.stores.pg_succession import PgEmbedderStore
from retrieval.stores.pgvector import PgVectorStore, Pool
from tests.counting_embedder import Counting, documents, drain
from tests.integration.retrieval.conftest import TODAY


@pytest.fixture
def old() -> Counting:
    return Counting("old@1")


@pytest.fixture
def new() -> Counting:
    return Counting("new@2", dimensions=1_024)


@pytest.fixture
async def filled(store: PgVectorStore, pool: Pool, old: Counting) -> PgVectorStore:
    """Two documents of four chunks with vectors of the old embedder, which serves."""
    async with pool.connection() as conn:
        for name in await indexes(pool):
            await conn.execute(f"DROP INDEX {name}")
    await IngestService(store, old).ingest_documents(documents(2), collection="x")
    await drain(IngestService(store, old), 10)
    await settle(pool, old)
    return store


async def settle(pool: Pool, embedder: Counting, *, grace_s: float = 0) -> None:
    succession = Succession(PgEmbedderStore(pool), PgVectorStore(pool), embedder)
    await succession.settle(grace_s=grace_s)


async def roles(pool: Pool) -> dict[str, tuple[str, int]]:
    return {e.id: (e.state, e.chunks) for e in await PgEmbedderStore(pool).list_embedders()}


async def indexes(pool: Pool) -> set[str]:
    async with pool.connection() as conn:
        rows = await conn.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid"
            " JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'hnsw' AND i.indisvalid"
        )
        return {r["relname"] for r in await rows.fetchall()}


def of(embedder: Counting) -> set[str]:
    return {index_name(embedder.id, "es"), index_name(embedder.id, "en")}


async def test_the_first_embedder_serves_at_once(
    filled: PgVectorStore, pool: Pool, old: Counting
) -> None:
    assert await roles(pool) == {"old@1": ("serving", 8)}
    assert await indexes(pool) == of(old)


async def test_the_old_one_serves_until_the_new_one_is_complete(
    filled: PgVectorStore, pool: Pool, old: Counting, new: Counting
) -> None:
    workers = IngestService(filled, new)
    for _ in range(2):
        await workers.embed_pending(3)
        await settle(pool, new)
        assert await PgEmbedderStore(pool).get_serving() == old.id
    assert await roles(pool) == {"old@1": ("serving", 8), "new@2": ("filling", 6)}
    await drain(workers, 3)
    await settle(pool, new, grace_s=60)
    assert await roles(pool) == {"new@2": ("serving", 8), "old@1": ("retired", 8)}
    vector = await new.embed_query("x")
    assert set(await filled.get_centres("knowledge", vector, embedder_id=new.id)) == {"es"}
    assert await indexes(pool) == of(old) | of(new)


async def test_what_was_retired_goes_with_its_index_and_centres(
    filled: PgVectorStore, pool: Pool, old: Counting, new: Counting
) -> None:
    await drain(IngestService(filled, new), 10)
    await settle(pool, new)
    assert await roles(pool) == {"new@2": ("serving", 8)}
    assert await indexes(pool) == of(new)
    vector = await old.embed_query("x")
    assert await filled.get_centres("knowledge", vector, embedder_id=old.id) == {}
    assert sum(new.texts.values()) == 8


async def test_who_goes_back_before_the_end_keeps_the_old_vectors(
    filled: PgVectorStore, pool: Pool, old: Counting, new: Counting
) -> None:
    await IngestService(filled, new).embed_pending(3)
    embedded = sum(old.texts.values())
    await drain(IngestService(filled, old), 10)
    await settle(pool, old)
    assert await roles(pool) == {"old@1": ("serving", 8)}
    assert sum(old.texts.values()) == embedded


async def test_who_goes_back_after_the_end_finds_the_old_vectors_again(
    filled: PgVectorStore, pool: Pool, old: Counting, new: Counting
) -> None:
    await drain(IngestService(filled, new), 10)
    await settle(pool, new, grace_s=60)
    embedded = sum(old.texts.values())
    await drain(IngestService(filled, old), 10)
    await settle(pool, old, grace_s=60)
    assert await roles(pool) == {"old@1": ("serving", 8), "new@2": ("retired", 8)}
    assert sum(old.texts.values()) == embedded


async def test_a_changed_document_keeps_its_vectors_of_both(
    filled: PgVectorStore, pool: Pool, old: Counting, new: Counting
) -> None:
    await IngestService(filled, new).embed_pending(8)
    (document, _) = documents(2)
    changed = replace(document, body=document.body + "\n\n## Más\n\nAlgo.")
    await IngestService(filled, new).ingest_documents([changed], collection="x")
    assert await roles(pool) == {"old@1": ("serving", 8), "new@2": ("filling", 8)}
    assert await filled.count_pending(old.id) == await filled.count_pending(new.id) == 1


async def test_vectors_go_with_their_document(
    filled: PgVectorStore, pool: Pool, old: Counting
) -> None:
    await filled.delete([documents(1)[0].id])
    assert await roles(pool) == {"old@1": ("serving", 4)}


async def test_an_embedder_that_changes_its_size_is_refused(
    filled: PgVectorStore, old: Counting
) -> None:
    with pytest.raises(EmbedderUnavailable):
        await filled.attach(old.id, {1: np.ones(3, np.float32)})


async def test_an_index_whose_build_broke_off_is_built_anew(
    filled: PgVectorStore, pool: Pool, old: Counting
) -> None:
    async with pool.connection() as conn:
        await conn.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass",
            (index_name(old.id, "es"),),
        )
    assert await indexes(pool) != of(old)
    await settle(pool, old)
    assert await indexes(pool) == of(old)


async def test_questions_are_embedded_as_the_vectors_that_serve(
    filled: PgVectorStore, pool: Pool, old: Counting, new: Counting
) -> None:
    now = [0.0]
    serving = ServingEmbedder(PgEmbedderStore(pool), new, {old.id: old}.get, clock=lambda: now[0])
    search = KnowledgeSearch(filled, new, serving=serving)

    async def ask(words: str) -> str:
        result = await search.search(
            words,
            kind="knowledge",
            audiences=frozenset({"public"}),
            on=TODAY,
            query_language="es",
        )
        assert result.hits
        return result.mode

    await IngestService(filled, new).embed_pending(3)
    assert await ask("texto primero del documento") == "hybrid"
    assert "texto primero del documento" in old.texts
    await drain(IngestService(filled, new), 10)
    await settle(pool, new, grace_s=60)
    assert await ask("texto segundo del documento") == "hybrid"  # not noticed yet
    now[0] = 5
    assert await ask("texto tercero del documento") == "hybrid"
    assert "texto tercero del documento" in new.texts
    assert "texto tercero del documento" not in old.texts


async def test_without_the_model_that_serves_words_answer(
    filled: PgVectorStore, pool: Pool, new: Counting
) -> None:
    serving = ServingEmbedder(PgEmbedderStore(pool), new, lambda _: None)
    result = await KnowledgeSearch(filled, new, serving=serving).search(
        "texto del documento",
        kind="knowledge",
        audiences=frozenset({"public"}),
        on=TODAY,
        query_language="es",
    )
    assert (result.mode, bool(result.hits)) == ("lexical", True)
