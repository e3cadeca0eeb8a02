"""Compares what Elasticsearch holds with PostgreSQL, chunk by chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrieval.stores.elasticsearch.names import CORPORA, alias_of
from tests.integration.retrieval.shelves import Known, document, put_all

if TYPE_CHECKING:
    from retrieval.embed.protocol import Vector
    from retrieval.stores.elasticsearch.projection import Projection
    from retrieval.stores.pgvector import Pool
    from tests.integration.retrieval.shelves import Shelf

#: Slug, topic, whose vector.
Content = dict[int, tuple[str, str, str | None]]


def projection_of(shelf: Shelf) -> Projection:
    assert shelf.projection is not None
    return shelf.projection


async def ingest(shelf: Shelf, count: int, vector: Vector | None = None) -> None:
    """Store so many documents, and their vectors if one is given, without telling the server."""
    documents = [document(f"d{n:03}", f"El texto número {n}.") for n in range(count)]
    await put_all(shelf.documents, documents, None if vector is None else Known({"texto": vector}))


async def queued(pool: Pool) -> list[dict[str, Any]]:
    """What waits to be sent."""
    async with pool.connection() as conn:
        rows = await conn.execute("SELECT * FROM search_changes ORDER BY generation, chunk_id")
        return await rows.fetchall()


async def sent_content(shelf: Shelf) -> Content:
    """What searches see in Elasticsearch."""
    assert shelf.client is not None
    aliases = [alias_of(shelf.prefix, corpus) for corpus in CORPORA]
    found = await shelf.client.search(index=aliases, query={"match_all": {}}, size=10_000)
    content: Content = {}
    for hit in found["hits"]["hits"]:
        source = hit["_source"]
        content[int(hit["_id"])] = (source["slug"], source["topic"], source.get("embedder"))
    return content


async def kept_content(pool: Pool) -> Content:
    """What PostgreSQL holds."""
    async with pool.connection() as conn:
        rows = await conn.execute(
            "SELECT c.id, c.slug, c.topic, e.id AS embedder FROM search_chunks c"
            " LEFT JOIN (search_vectors v JOIN search_embedders e"
            "            ON e.id = v.embedder AND e.state = 'serving') ON v.chunk_id = c.id"
        )
        return {r["id"]: (r["slug"], r["topic"], r["embedder"]) for r in await rows.fetchall()}


async def assert_in_step(shelf: Shelf, pool: Pool) -> Content:
    """Both hold the same, nothing waits, and one set of indexes is there: return what they hold."""
    sent = await sent_content(shelf)
    assert sent == await kept_content(pool)
    assert await queued(pool) == []
    (generation,) = await projection_of(shelf).list_generations()
    assert generation.state == "serving"
    assert shelf.client is not None
    indexes = await shelf.client.indices.get(index=f"{shelf.prefix}-*")
    assert len(indexes.body) == len(CORPORA)
    return sent
