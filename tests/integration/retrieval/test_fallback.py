"""A question gets its answer while the search server is killed, hangs or lacks its index."""

from __future__ import annotations

import asyncio

import pytest

from retrieval.embed.use import UniversalSentenceEncoder
from retrieval.ingest.service import IngestService
from retrieval.models import LANGUAGES, Language, SearchResult
from retrieval.search import KnowledgeSearch
from retrieval.stores.elasticsearch.connection import Access, open_client
from retrieval.stores.elasticsearch.store import ElasticsearchStore
from retrieval.stores.fallback import FallbackStore
from retrieval.stores.protocol import Match, Scope
from retrieval.stores.recess import FIRST_S
from tests.integration.retrieval.conftest import TODAY
from tests.integration.retrieval.shelves import Shelf, document, find_words, slugs
from tests.search_server import SearchServer

LIMIT_S = 0.5
QUESTION = "¿Cuánto tarda la devolución?"


class Wall:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Counted(ElasticsearchStore):
    """Counts how often the server is asked for words, once or more a question."""

    asked = 0

    async def search_lexical(
        self, scope: Scope, language: Language, text: str, *, limit: int
    ) -> list[Match]:
        self.asked += 1
        return await super().search_lexical(scope, language, text, limit=limit)


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
async def counted(own: Shelf, fast: UniversalSentenceEncoder) -> Counted:
    """Documents with vectors, searched in a server of the test's own."""
    service = IngestService(own.documents, fast)
    texts = [
        document("refund", "La devolución tarda diez días hábiles."),
        document("visa", "Los estudiantes extranjeros necesitan una visa."),
    ]
    await service.ingest_documents(texts, collection="x")
    while await service.embed_pending():
        pass
    await own.settle()
    assert own.client is not None
    return Counted(own.client, own.documents, prefix=own.prefix, limit_s=LIMIT_S)


@pytest.fixture
def guarded(counted: Counted, own: Shelf, wall: Wall) -> FallbackStore:
    """The same, and PostgreSQL where that fails."""
    return FallbackStore(counted, own.documents, clock=wall)


async def ask(store: FallbackStore, embedder: UniversalSentenceEncoder) -> SearchResult:
    return await KnowledgeSearch(store, embedder).search(
        QUESTION, kind="knowledge", audiences=frozenset({"public"}), on=TODAY, query_language="es"
    )


async def test_both_stores_give_the_same_answer(
    guarded: FallbackStore, own: Shelf, fast: UniversalSentenceEncoder
) -> None:
    there = await ask(guarded, fast)
    here = await ask(FallbackStore(own.documents, own.documents), fast)
    assert guarded.failure is None
    assert [h.slug for h in there.hits] == [h.slug for h in here.hits]
    assert there.confidence == pytest.approx(here.confidence, abs=0.05)


async def test_a_killed_server_is_not_missed(
    guarded: FallbackStore,
    own_server: SearchServer,
    fast: UniversalSentenceEncoder,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = await ask(guarded, fast)
    own_server.kill()
    after = await ask(guarded, fast)
    assert [h.slug for h in after.hits] == [h.slug for h in before.hits]
    assert after.mode == "hybrid"
    assert guarded.failure == "Elasticsearch does not answer: ConnectionError."
    told = [r.message for r in caplog.records if "PostgreSQL meanwhile" in r.message]
    assert len(told) == 1  # however many searches a question takes


async def test_a_hanging_server_is_waited_for_once_and_not_for_long(
    guarded: FallbackStore,
    counted: Counted,
    own_server: SearchServer,
    fast: UniversalSentenceEncoder,
    wall: Wall,
) -> None:
    await ask(guarded, fast)
    own_server.pause()
    counted.asked = 0
    try:
        answers = await asyncio.gather(*(ask(guarded, fast) for _ in range(5)))
        assert {a.hits[0].slug for a in answers} == {"refund"}
        assert guarded.failure == f"Elasticsearch does not answer within {LIMIT_S} s."
        assert 1 <= counted.asked <= 5 * len(LANGUAGES)  # each language at once, and only once
        before = counted.asked
        await ask(guarded, fast)
        assert counted.asked == before  # none of the searches after
    finally:
        own_server.resume()
    await ask(guarded, fast)
    assert guarded.failure is not None  # its recess is not over
    wall.now += FIRST_S
    await ask(guarded, fast)
    assert guarded.failure is None


async def test_a_server_that_comes_back_empty_is_used_once_it_is_filled(
    guarded: FallbackStore,
    own: Shelf,
    own_server: SearchServer,
    fast: UniversalSentenceEncoder,
    wall: Wall,
) -> None:
    own_server.kill()
    await ask(guarded, fast)
    own_server.start()
    wall.now += FIRST_S
    assert (await ask(guarded, fast)).hits[0].slug == "refund"
    assert "404" in (guarded.failure or "")
    await own.settle()
    wall.now += 2 * FIRST_S
    assert (await ask(guarded, fast)).hits[0].slug == "refund"
    assert guarded.failure is None


async def test_what_was_deleted_during_an_outage_is_never_shown(
    guarded: FallbackStore, own: Shelf, own_server: SearchServer, fast: UniversalSentenceEncoder
) -> None:
    own_server.pause()
    try:
        await own.documents.delete(["knowledge:refund:es"])
        assert [h.slug for h in (await ask(guarded, fast)).hits] == ["visa"]
    finally:
        own_server.resume()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1"])
async def test_a_wrong_address_is_no_obstacle(
    own: Shelf, fast: UniversalSentenceEncoder, url: str
) -> None:
    await IngestService(own.documents, None).ingest_documents(
        [document("refund", "La devolución tarda diez días.")], collection="x"
    )
    client = open_client(Access(url=url))
    try:
        store = FallbackStore(
            ElasticsearchStore(client, own.documents, prefix="x", limit_s=5), own.documents
        )
        found = await find_words(Shelf(own.documents, store), "devolución")
        assert slugs(found) == ["refund"]
        assert store.failure is not None
    finally:
        await client.close()
