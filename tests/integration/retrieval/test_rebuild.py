"""Indexes are built anew while the old ones serve: under writes, and killed at any step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from retrieval.ingest.service import IngestService
from retrieval.stores.elasticsearch.generations import Generation, State
from retrieval.stores.fallback import FallbackStore
from retrieval.stores.pg_succession import PgEmbedderStore
from retrieval.stores.pgvector import Pool
from tests.counting_embedder import Counting, drain
from tests.dying import die
from tests.integration.retrieval.projected import (
    assert_in_step,
    ingest,
    kept_content,
    projection_of,
    queued,
    sent_content,
)
from tests.integration.retrieval.shelves import (
    EMBEDDER,
    PUBLIC,
    Shelf,
    axis,
    catch_up,
    document,
    find_near,
    find_words,
    slugs,
)

#: More than the suspensions of a whole rebuild of few chunks.
_LAST_STEP = 400


async def states(shelf: Shelf) -> list[tuple[int, State]]:
    return [(g.id, g.state) for g in await projection_of(shelf).list_generations()]


async def serving(shelf: Shelf) -> Generation:
    (found,) = [g for g in await projection_of(shelf).list_generations() if g.state == "serving"]
    return found


async def test_a_rebuild_makes_new_indexes_and_deletes_the_old(elastic: Shelf, pool: Pool) -> None:
    await ingest(elastic, 5, axis(0))
    await elastic.settle()
    old = await serving(elastic)
    assert await projection_of(elastic).begin()
    await elastic.settle()
    new = await serving(elastic)
    assert (new.id > old.id, new.chunks, new.pending, new.embedder) == (True, 5, 0, EMBEDDER)
    assert len(await assert_in_step(elastic, pool)) == 5


async def test_beginning_twice_is_one_rebuild(elastic: Shelf) -> None:
    await elastic.settle()
    projection = projection_of(elastic)
    assert all(await asyncio.gather(*(projection.begin() for _ in range(4))))
    assert [state for _, state in await states(elastic)] == ["serving", "planned"]


async def test_progress_is_told(elastic: Shelf) -> None:
    await ingest(elastic, 9)
    await elastic.settle()
    projection = projection_of(elastic)
    await projection.begin()
    await projection.advance()
    told = []
    while await projection.push(limit=4):
        (_, building) = await projection.list_generations()
        told.append((building.state, building.chunks - building.pending, building.chunks))
    assert told == [("building", 4, 9), ("building", 8, 9), ("building", 9, 9)]


async def test_searches_see_the_old_indexes_until_the_new_are_whole(
    elastic: Shelf, pool: Pool
) -> None:
    """Every search during the rebuild finds everything, neither half of it nor an error."""
    await ingest(elastic, 12)
    await elastic.settle()
    seen: set[int] = set()
    ended = asyncio.Event()

    async def look() -> None:
        while not ended.is_set():
            seen.add(len(await find_words(elastic, "texto", limit=50)))

    looking = asyncio.create_task(look())
    for _ in range(3):
        await projection_of(elastic).begin()
        await elastic.settle()
    ended.set()
    await looking
    assert seen == {12}
    await assert_in_step(elastic, pool)


async def test_nothing_that_changes_during_a_rebuild_is_lost(elastic: Shelf, pool: Pool) -> None:
    """Writers add, change and delete while indexes are built over and over by two processes."""
    await ingest(elastic, 10)
    await elastic.settle()
    projection = projection_of(elastic)
    service = IngestService(elastic.documents, None)
    ended = asyncio.Event()

    async def write(writer: int) -> None:
        for n in range(15):
            name = f"w{writer}-{n % 4}"
            await service.ingest_documents([document(name, f"Texto {n}.")], collection=name)
            if n % 3 == 2:
                await elastic.documents.delete([f"knowledge:w{writer}-{(n + 1) % 4}:es"])

    async def build() -> None:
        while not ended.is_set():
            await projection.begin()
            await catch_up(projection)

    building = [asyncio.create_task(build()) for _ in range(2)]
    await asyncio.gather(*(write(n) for n in range(3)))
    ended.set()
    await asyncio.gather(*building)
    await elastic.settle()
    assert len(await assert_in_step(elastic, pool)) > 10


async def test_what_was_begun_before_a_rebuild_and_committed_after_it_is_not_lost(
    elastic: Shelf, pool: Pool
) -> None:
    await ingest(elastic, 2)
    await elastic.settle()
    projection = projection_of(elastic)
    async with pool.connection() as writer:
        async with writer.transaction():
            await writer.execute("UPDATE search_chunks SET topic = 'late'")
            assert await projection.begin() is False  # it waits for the writer, and gives up
        assert await projection.begin() is True
    await elastic.settle()
    assert {topic for _, topic, _ in (await assert_in_step(elastic, pool)).values()} == {"late"}


@asynccontextmanager
async def writing(shelf: Shelf) -> AsyncIterator[None]:
    """Change something before and after the block, as if it went on all the time."""
    service = IngestService(shelf.documents, None)
    await service.ingest_documents([document("d000", "Antes.")], collection="x")
    yield
    await service.ingest_documents([document("d001", "Después.")], collection="x")
    await shelf.documents.delete(["knowledge:d002:es"])


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, 8))
async def test_killed_at_any_step_a_rebuild_is_finished_by_whoever_comes_next(
    elastic: Shelf, pool: Pool, first: int
) -> None:
    """Die at every seventh await, go on from there; then everything is in step all the same."""
    await ingest(elastic, 4, axis(0))
    await elastic.settle()
    projection = projection_of(elastic)
    for step in range(first, _LAST_STEP, 7):
        await projection.begin()
        async with writing(elastic):
            died = await die(catch_up(projection), step)
        async with pool.connection() as conn:  # what was in its hands is free after a while
            await conn.execute(
                "UPDATE search_changes SET claimed_until = NULL, available_at = now()"
            )
        assert len(await find_words(elastic, "texto antes después", limit=50)) > 0
        await elastic.settle()
        assert len(await assert_in_step(elastic, pool)) == 3
        await ingest(elastic, 4, axis(0))
        await elastic.settle()
        if not died:
            return
    pytest.fail("the rebuild has more steps than this test kills it at")


async def test_another_embedder_is_indexed_while_the_old_one_serves(
    elastic: Shelf, pool: Pool
) -> None:
    """Vectors of another size, too: dense searches go to PostgreSQL until they are indexed."""
    old, new = Counting("old@1", dimensions=8), Counting("new@1", dimensions=16)
    texts = [document(f"d{n}", f"El texto {n} {'x' * n}.") for n in range(4)]
    await IngestService(elastic.documents, old).ingest_documents(texts, collection="x")
    await drain(IngestService(elastic.documents, old), 10)
    await elastic.settle()
    both = Shelf(elastic.documents, FallbackStore(elastic.search, elastic.documents))

    async def nearest(embedder: Counting) -> list[str]:
        vector = await embedder.embed_query("d2.\nEl texto 2 xx.")
        found = await find_near(both, vector, embedder_id=embedder.id, limit=1)
        return slugs(found)

    assert await nearest(old) == ["d2"]
    await drain(IngestService(elastic.documents, new), 10)
    assert await PgEmbedderStore(pool).take_over(new.id)
    assert await nearest(new) == ["d2"]  # by PostgreSQL: the index has the old ones
    assert len(await find_words(both, "texto")) == 4
    await elastic.settle()
    assert {e for _, _, e in (await assert_in_step(elastic, pool)).values()} == {"new@1"}
    assert await nearest(new) == ["d2"]
    vector = await new.embed_query("d2.\nEl texto 2 xx.")
    assert slugs(await find_near(elastic, vector, embedder_id="new@1", limit=1)) == ["d2"]


async def test_another_analysis_is_a_reason_to_build_anew(
    elastic: Shelf, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ingest(elastic, 2)
    await elastic.settle()
    old = await serving(elastic)
    for module in ("indexes", "projection", "shape"):
        name = f"retrieval.stores.elasticsearch.{module}.shape_id"
        monkeypatch.setattr(name, lambda: "another")
    await elastic.settle()
    assert (await serving(elastic)).id > old.id
    await assert_in_step(elastic, pool)


async def test_documents_of_both_kinds_and_languages_are_told_apart(
    elastic: Shelf, pool: Pool
) -> None:
    service = IngestService(elastic.documents, None)
    texts = [
        document("same", "Text texto.", language, kind=kind)
        for kind in ("knowledge", "course")
        for language in ("es", "en")
    ]
    await service.ingest_documents(texts, collection="x")  # type: ignore[arg-type]
    await elastic.settle()
    assert sorted(await sent_content(elastic)) == sorted(await kept_content(pool))
    assert await queued(pool) == []
    (found,) = await find_words(elastic, "texto", scope=PUBLIC)
    assert found.document_id == "knowledge:same:es"
