"""Wires what is searched: the index, its embedders, ingest and search."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from api.search_stores import Elasticsearch, SearchStores, open_search_stores
from api.settings import Settings
from crm.db import Pool
from retrieval.embed.cache import VectorCache, load_vector_cache
from retrieval.embed.choice import choose_embedder, find_embedder
from retrieval.embed.protocol import Embedder, OpenEmbedder
from retrieval.embed.recent import RecentQueries
from retrieval.embed.serving import ServingEmbedder
from retrieval.embed.succession import Succession
from retrieval.ingest.service import IngestService
from retrieval.rerank import choose_reranker
from retrieval.search import KnowledgeSearch
from retrieval.settings import RetrievalSettings
from retrieval.stores.pg_succession import PgEmbedderStore
from retrieval.stores.pgvector import PgVectorStore


@dataclass(frozen=True, slots=True)
class Indexing:
    """The parts that work on the index.

    Args:
        embedder: of what people ask; None where none is set.
    """

    documents: PgVectorStore
    elasticsearch: Elasticsearch | None
    knowledge: KnowledgeSearch
    ingest: IngestService
    succession: Succession
    embedder: Embedder | None


@asynccontextmanager
async def open_indexing(settings: Settings, pool: Pool) -> AsyncIterator[Indexing]:
    """Wire the index for the block.

    Raises:
        ModelUnavailable: the embedder or reranker that is set lacks a package or a setting.
        Unavailable("settings.elasticsearch"): the store that is set has no address.
    """
    given = retrieval_settings(settings)
    chosen = choose_embedder(given)
    embedder = RecentQueries(chosen) if chosen else None
    embedders = PgEmbedderStore(pool)

    def find(embedder_id: str) -> OpenEmbedder | None:
        found = find_embedder(embedder_id, given)
        return RecentQueries(found) if found else None

    serving = ServingEmbedder(embedders, embedder, find) if embedder else None
    try:
        async with open_search_stores(settings, pool) as stores:
            yield _wire(given, stores, embedders, embedder=embedder, serving=serving)
    finally:
        if serving is not None:
            await serving.aclose()


def _wire(
    given: RetrievalSettings,
    stores: SearchStores,
    embedders: PgEmbedderStore,
    *,
    embedder: RecentQueries | None,
    serving: ServingEmbedder | None,
) -> Indexing:
    cache = _cache(given, embedder)
    return Indexing(
        stores.documents,
        stores.elasticsearch,
        KnowledgeSearch(
            stores.search,
            embedder,
            cache=cache,
            serving=serving,
            reranker=choose_reranker(given),
            fallback_language=given.default_locale,
        ),
        IngestService(stores.documents, embedder, cache=cache),
        Succession(embedders, stores.documents, embedder),
        embedder,
    )


def retrieval_settings(settings: Settings) -> RetrievalSettings:
    """Return the settings of retrieval, with what those of the deployment say."""
    return RetrievalSettings(embedder=settings.embedder, default_locale=settings.default_locale)


def _cache(given: RetrievalSettings, embedder: Embedder | None) -> VectorCache:
    """Return ready-made vectors: those of the demo's own texts, unless others are set."""
    if embedder is None:
        return VectorCache({})
    folder = given.vector_cache or Path(__file__).parent / "demo" / "vectors"
    return load_vector_cache(folder, embedder.id)
