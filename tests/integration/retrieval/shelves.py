"""A store with documents beside the way to search them: what both stores' tests are written for."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from elastic_transport import TransportError

from retrieval.embed.protocol import Matrix, Vector
from retrieval.ingest.service import IngestService
from retrieval.models import Document, Kind, Language
from retrieval.stores.elasticsearch.connection import Access, open_client
from retrieval.stores.elasticsearch.projection import Projection
from retrieval.stores.elasticsearch.store import ElasticsearchStore
from retrieval.stores.pgvector import PgVectorStore, Pool
from retrieval.stores.protocol import Scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from elasticsearch import AsyncElasticsearch

    from retrieval.stores.protocol import Match, SearchStore

#: The stand-in is slow while tests of others run beside it.
PATIENCE_S = 20.0
DIMENSIONS = 384
#: The day on which tests read, unless another is named.
TODAY = date(2026, 11, 24)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Documents in PostgreSQL, and the store that searches them."""

    documents: PgVectorStore
    search: SearchStore
    projection: Projection | None = None
    client: AsyncElasticsearch | None = None
    prefix: str = ""

    async def settle(self) -> None:
        """Let searches see everything that was committed."""
        if self.projection is not None and self.client is not None:
            await catch_up(self.projection)
            await self.client.indices.refresh(index=f"{self.prefix}-*")


async def catch_up(projection: Projection) -> None:
    """Send what is due and take every step that there is, until there is nothing left to do."""
    while await projection.push() or await projection.advance():
        pass


async def empty(pool: Pool) -> PgVectorStore:
    """Return a store over empty tables."""
    async with pool.connection() as conn:
        await conn.execute(
            "TRUNCATE search_documents, search_chunks, search_vectors, search_claims,"
            " search_embedders, search_centres, search_vocabulary, search_corpora,"
            " search_generations, search_changes"
        )
    return PgVectorStore(pool)


def postgres_shelf(store: PgVectorStore) -> Shelf:
    return Shelf(store, store)


@asynccontextmanager
async def elasticsearch_shelf(pool: Pool, url: str) -> AsyncIterator[Shelf]:
    """A shelf with indexes of its own, which are deleted after the block."""
    access = Access(url=url, prefix=f"test-{secrets.token_hex(4)}", search_s=PATIENCE_S)
    client = open_client(access)
    documents = PgVectorStore(pool)
    projection = Projection(pool, client, prefix=access.prefix, limit_s=access.write_s, review_s=0)
    search = ElasticsearchStore(client, documents, prefix=access.prefix, limit_s=access.search_s)
    try:
        yield Shelf(documents, search, projection, client, access.prefix)
        with suppress(TransportError):  # a test may have killed the server
            indexes = await client.indices.get(index=f"{access.prefix}-*")
            if indexes.body:
                await client.indices.delete(index=sorted(indexes.body))
    finally:
        await client.close()


EMBEDDER = "known@1"
PUBLIC = Scope("knowledge", frozenset({"public"}), TODAY)


class Known:
    """An embedder that gives each text the vector that a test has set, or none of its own."""

    id = EMBEDDER
    dimensions = DIMENSIONS

    def __init__(self, vectors: Mapping[str, Vector]) -> None:
        self._vectors = vectors

    async def embed_query(self, text: str) -> Vector:
        return (await self.embed_passages([text]))[0]

    async def embed_passages(self, texts: Sequence[str]) -> Matrix:
        return np.array([self._of(text) for text in texts], np.float32).reshape(-1, DIMENSIONS)

    def _of(self, text: str) -> Vector:
        found = [v for body, v in self._vectors.items() if body in text]
        return found[0] if found else axis(DIMENSIONS - 1)


def axis(number: int) -> Vector:
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[number] = 1
    return vector


def at_angle(cosine: float, number: int = 1) -> Vector:
    """A vector of length 1 whose inner product with the first axis is given."""
    vector = axis(0) * np.float32(cosine)
    vector[number] = np.sqrt(1 - cosine * cosine)
    return vector.astype(np.float32)


def document(slug: str, body: str, language: Language = "es", **more: Any) -> Document:
    kind: Kind = more.pop("kind", "knowledge")
    return Document(
        id=f"{kind}:{slug}:{language}",
        kind=kind,
        slug=slug,
        language=language,
        title=more.pop("title", slug),
        body=body,
        **more,
    )


async def put(
    shelf: Shelf, documents: Sequence[Document], vectors: Mapping[str, Vector] | None = None
) -> None:
    """Ingest, embed where vectors are given, and let searches see it."""
    await put_all(shelf.documents, documents, None if vectors is None else Known(vectors))
    await shelf.settle()


async def put_all(
    store: PgVectorStore, documents: Sequence[Document], embedder: Known | None
) -> None:
    """Ingest, and embed if there is something to do it with."""
    service = IngestService(store, embedder)
    await service.ingest_documents(documents, collection="x")
    while await service.embed_pending():
        pass


async def find_words(
    shelf: Shelf, text: str, language: Language = "es", scope: Scope = PUBLIC, limit: int = 10
) -> list[Match]:
    return await shelf.search.search_lexical(scope, language, text, limit=limit)


async def find_near(
    shelf: Shelf,
    vector: Vector,
    *,
    language: Language = "es",
    scope: Scope = PUBLIC,
    also: Sequence[int] = (),
    limit: int = 10,
    embedder_id: str = EMBEDDER,
) -> list[Match]:
    return await shelf.search.search_dense(
        scope, language, vector, embedder_id=embedder_id, also=also, limit=limit
    )


def slugs(matches: Sequence[Match]) -> list[str]:
    return [m.slug for m in matches]
