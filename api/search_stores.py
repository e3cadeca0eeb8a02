"""Opens what searches, as the settings choose it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.settings import Settings
from crm.errors import Unavailable
from retrieval.errors import RetrievalError
from retrieval.stores.pgvector import PgVectorStore, Pool
from retrieval.stores.protocol import SearchStore

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

    from retrieval.stores.elasticsearch.connection import Access
    from retrieval.stores.elasticsearch.keeper import Keeper
    from retrieval.stores.elasticsearch.projection import Projection
    from retrieval.stores.fallback import FallbackStore


@dataclass(frozen=True, slots=True)
class Elasticsearch:
    """What there is more where Elasticsearch searches.

    Args:
        store: PostgreSQL answers through it while the server does not.
    """

    projection: "Projection"
    keeper: "Keeper"
    store: "FallbackStore"

    async def find_failure(self) -> str | None:
        """Return why searches go to PostgreSQL now; None while the server answers."""
        try:
            await self.projection.count_searched()
        except RetrievalError as failure:
            return failure.safe_message
        return self.store.failure


@dataclass(frozen=True, slots=True)
class SearchStores:
    """Where documents are kept, and what searches them."""

    documents: PgVectorStore
    search: SearchStore
    elasticsearch: Elasticsearch | None = None


@asynccontextmanager
async def open_search_stores(settings: Settings, pool: Pool) -> AsyncIterator[SearchStores]:
    """Return the stores; a server is asked only when something is searched.

    Raises: Unavailable("settings.elasticsearch"): it is chosen and has no address.
    """
    if settings.search_store == "pgvector":
        documents = PgVectorStore(pool)
        yield SearchStores(documents, documents)
        return
    # Some tenths of a second to import: not where nobody needs it.
    from retrieval.stores.elasticsearch.connection import open_client

    access = access_of(settings)
    client = open_client(access)
    try:
        yield _wire(access, client, pool)
    finally:
        await client.close()


def access_of(settings: Settings) -> "Access":
    """Return where Elasticsearch is.

    Raises: Unavailable("settings.elasticsearch"): it has no address.
    """
    from retrieval.stores.elasticsearch.connection import Access

    if not settings.elasticsearch_url:
        raise Unavailable("settings.elasticsearch", "ORIENTA_ELASTICSEARCH_URL is not set.")
    password, key = settings.elasticsearch_password, settings.elasticsearch_api_key
    return Access(
        url=settings.elasticsearch_url,
        user=settings.elasticsearch_user,
        password=password.get_secret_value() if password else None,
        api_key=key.get_secret_value() if key else None,
        ca_file=settings.elasticsearch_ca,
        prefix=settings.elasticsearch_prefix,
        search_s=settings.elasticsearch_timeout_ms / 1000,
    )


def _wire(access: "Access", client: "AsyncElasticsearch", pool: Pool) -> SearchStores:
    from retrieval.stores.elasticsearch.keeper import Keeper
    from retrieval.stores.elasticsearch.projected import ProjectedStore
    from retrieval.stores.elasticsearch.projection import Projection
    from retrieval.stores.elasticsearch.store import ElasticsearchStore
    from retrieval.stores.fallback import FallbackStore

    projection = Projection(pool, client, prefix=access.prefix, limit_s=access.write_s)
    documents = ProjectedStore(pool, projection)
    first = ElasticsearchStore(client, documents, prefix=access.prefix, limit_s=access.search_s)
    search = FallbackStore(first, documents)
    return SearchStores(documents, search, Elasticsearch(projection, Keeper(projection), search))
