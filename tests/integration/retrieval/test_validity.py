"""A document is found on the days on which it holds, and cited as it stood."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from retrieval.embed.use import UniversalSentenceEncoder
from retrieval.ingest.service import IngestService
from retrieval.models import Document
from retrieval.search import KnowledgeSearch
from retrieval.stores.pgvector import PgVectorStore
from retrieval.stores.protocol import Scope
from tests.integration.retrieval.conftest import TODAY

PUBLIC = frozenset({"public"})
LATER = date(2026, 12, 1)
OLD = Document(
    id="kb:fees:en",
    kind="knowledge",
    slug="fees",
    language="en",
    title="Fees",
    body="## Amount\n\nThe enrolment fee is forty dollars.",
    topic="payments",
)
NEW = replace(OLD, body=OLD.body.replace("forty", "fifty"), valid_from=LATER)


@pytest.fixture
def service(store: PgVectorStore, fast: UniversalSentenceEncoder) -> IngestService:
    return IngestService(store, fast)


async def put(service: IngestService, *documents: Document) -> None:
    for document in documents:
        await service.ingest_documents([document], collection="x")
    while await service.embed_pending():
        pass


async def versions(
    store: PgVectorStore,
    on: date,
    embedder: UniversalSentenceEncoder | None = None,
    **filters: frozenset[str],
) -> list[int]:
    result = await KnowledgeSearch(store, embedder).search(
        "enrolment fee", kind="knowledge", audiences=PUBLIC, on=on, query_language="en", **filters
    )
    return [h.version for h in result.hits]


@pytest.mark.parametrize("with_vectors", [True, False])
async def test_a_later_version_is_found_from_its_day_on_and_the_former_until_then(
    service: IngestService,
    store: PgVectorStore,
    fast: UniversalSentenceEncoder,
    *,
    with_vectors: bool,
) -> None:
    await put(service, OLD, NEW)
    embedder = fast if with_vectors else None
    assert await versions(store, TODAY, embedder) == [1]
    assert await versions(store, LATER, embedder) == [2]


async def test_the_current_document_is_the_one_in_force(
    service: IngestService, store: PgVectorStore
) -> None:
    await put(service, OLD, NEW)
    for on, version in ((TODAY, 1), (LATER, 2)):
        by_id = await store.get_document("kb:fees:en", on=on)
        by_slug = await store.find_document("knowledge", "fees", "en", on=on)
        (listed,) = await store.list_documents(Scope("knowledge", PUBLIC, on))
        assert by_id == by_slug == listed
        assert listed.version == version
    cited = await store.get_document("kb:fees:en", 1, on=LATER)
    assert cited == OLD


async def test_a_document_ends_on_its_last_day_and_its_citation_still_opens(
    service: IngestService, store: PgVectorStore
) -> None:
    await put(service, replace(OLD, valid_to=LATER))
    assert await versions(store, TODAY) == [1]
    assert await versions(store, LATER) == []
    assert await store.get_document("kb:fees:en", on=LATER) is None
    assert await store.list_documents(Scope("knowledge", PUBLIC, LATER)) == []
    assert await store.get_document("kb:fees:en", 1, on=LATER) is not None


async def test_a_former_version_does_not_come_back_when_the_next_one_ends(
    service: IngestService, store: PgVectorStore
) -> None:
    after = date(2027, 1, 1)
    await put(service, OLD, replace(NEW, valid_to=after))
    assert await versions(store, LATER) == [2]
    assert await versions(store, after) == []


async def test_what_is_stored_last_holds_from_its_day_on_whatever_was_planned(
    service: IngestService, store: PgVectorStore
) -> None:
    await put(service, OLD, NEW, OLD)
    assert await versions(store, TODAY) == [3]
    assert await versions(store, LATER) == [3]


async def test_an_end_may_be_set_and_lifted_without_a_new_version(
    service: IngestService, store: PgVectorStore
) -> None:
    await put(service, OLD)
    ended = await service.ingest_documents([replace(OLD, valid_to=TODAY)], collection="x")
    assert (ended.updated, await versions(store, TODAY)) == (1, [])
    lifted = await service.ingest_documents([OLD], collection="x")
    assert (lifted.updated, await versions(store, TODAY)) == (1, [1])


async def test_withdrawing_takes_planned_versions_too(
    service: IngestService, store: PgVectorStore
) -> None:
    await put(service, OLD, NEW)
    summary = await service.ingest_documents([], collection="x", complete=True)
    assert summary.withdrawn == 1
    assert await versions(store, TODAY) == await versions(store, LATER) == []


@pytest.mark.parametrize("with_vectors", [True, False])
async def test_search_can_be_kept_to_topics_and_to_documents(
    service: IngestService,
    store: PgVectorStore,
    fast: UniversalSentenceEncoder,
    *,
    with_vectors: bool,
) -> None:
    body = OLD.body.replace("forty", "sixty")
    other = replace(OLD, id="kb:other:en", slug="other", topic="admission", body=body, version=7)
    await put(service, OLD, other)
    embedder = fast if with_vectors else None
    assert sorted(await versions(store, TODAY, embedder)) == [1, 7]
    for filters, expected in (
        ({"topics": frozenset({"admission"})}, [7]),
        ({"slugs": frozenset({"fees", "none"})}, [1]),
        ({"topics": frozenset({"admission"}), "slugs": frozenset({"fees"})}, []),
        ({"slugs": frozenset[str]()}, []),
    ):
        assert await versions(store, TODAY, embedder, **filters) == expected


async def test_hits_are_filtered_by_the_readers_day(
    service: IngestService, store: PgVectorStore
) -> None:
    await put(service, OLD, NEW)
    today = Scope("knowledge", PUBLIC, TODAY)
    (match,) = await store.search_lexical(today, "en", "fee", limit=5)
    assert [h.version for h in await store.get_hits(today, {match.chunk_id: 1.0})] == [1]
    later = Scope("knowledge", PUBLIC, LATER)
    assert await store.get_hits(later, {match.chunk_id: 1.0}) == []
