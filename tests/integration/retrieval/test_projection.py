"""Elasticsearch is told what changed: once committed, by several senders, through every outage."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.rows import DictRow

from retrieval.errors import StoreUnavailable
from retrieval.ingest.service import IngestService
from retrieval.stores.elasticsearch import changes as queue
from retrieval.stores.elasticsearch.generations import Generation, forget_forsaken
from retrieval.stores.elasticsearch.keeper import Keeper
from retrieval.stores.elasticsearch.names import alias_of, index_of
from retrieval.stores.elasticsearch.projected import ProjectedStore
from retrieval.stores.pgvector import Pool
from retrieval.stores.recess import FIRST_S
from tests.integration.retrieval.projected import (
    assert_in_step,
    ingest,
    projection_of,
    queued,
    sent_content,
)
from tests.integration.retrieval.shelves import Shelf, axis, document
from tests.search_server import SearchServer


async def test_without_an_index_nothing_is_queued(elastic: Shelf, pool: Pool) -> None:
    await ingest(elastic, 3)
    assert await queued(pool) == []


async def test_what_is_committed_is_queued_and_what_is_rolled_back_is_not(
    elastic: Shelf, pool: Pool
) -> None:
    await elastic.settle()
    async with pool.connection() as conn:
        async with conn.transaction():
            await _insert_chunk(conn, "rolled-back")
            raise psycopg.Rollback
        assert await queued(pool) == []
        async with conn.transaction():
            await _insert_chunk(conn, "committed")
    assert len(await queued(pool)) == 1
    await elastic.settle()
    await assert_in_step(elastic, pool)


async def test_every_way_of_changing_reaches_the_index(elastic: Shelf, pool: Pool) -> None:
    """New, changed, moved to another audience, withdrawn, deleted with all that hangs on it."""
    await elastic.settle()
    service = IngestService(elastic.documents, None)
    texts = [document(f"d{n}", f"El texto {n}.") for n in range(6)]
    for wanted in (
        texts,
        [*texts[:4], document("d4", "Otro texto.")],
        [replace(texts[0], audience="staff"), *texts[1:3]],
        [],
    ):
        await service.ingest_documents(wanted, collection="x", complete=True)
        await elastic.settle()
        await assert_in_step(elastic, pool)
    await service.ingest_documents(texts, collection="x")
    await elastic.settle()
    await elastic.documents.delete([t.id for t in texts[:3]])
    await elastic.settle()
    assert len(await assert_in_step(elastic, pool)) == 3


async def test_several_senders_share_the_work(elastic: Shelf, pool: Pool) -> None:
    await elastic.settle()
    await ingest(elastic, 40)
    projection = projection_of(elastic)

    async def send_all() -> int:
        count = 0
        while sent := await projection.push(limit=3):
            count += sent
        return count

    assert sum(await asyncio.gather(*(send_all() for _ in range(4)))) == 40
    await elastic.settle()
    await assert_in_step(elastic, pool)


async def test_what_changes_while_it_is_sent_is_sent_again(elastic: Shelf, pool: Pool) -> None:
    await elastic.settle()
    await ingest(elastic, 1)
    async with pool.connection() as conn:
        claimed = await queue.claim(conn, limit=10)
        await conn.execute("UPDATE search_chunks SET topic = 'other'")
        await queue.settle(conn, claimed)
    assert await projection_of(elastic).push() == 1
    await elastic.settle()
    await assert_in_step(elastic, pool)


async def test_who_is_late_with_an_old_state_cannot_leave_it_there(
    elastic: Shelf, pool: Pool
) -> None:
    """A sender stalls with an old state in hand; others delete the chunk; then it writes."""
    await elastic.settle()
    await ingest(elastic, 1)
    projection = projection_of(elastic)
    async with pool.connection() as conn:
        late = await queue.claim(conn, limit=10)
        chunks = await queue.read_chunks(conn, late)
        await conn.execute("UPDATE search_changes SET claimed_until = now() - interval '1 s'")
    await elastic.documents.delete(["knowledge:d000:es"])
    await elastic.settle()
    outcome = await projection._sender.send(late, chunks, seen_at_once=True)
    async with pool.connection() as conn:
        await queue.settle(conn, outcome.taken)
    await elastic.settle()
    assert await assert_in_step(elastic, pool) == {}


async def test_what_the_server_does_not_take_is_set_aside_with_its_reason(
    elastic: Shelf, pool: Pool
) -> None:
    await ingest(elastic, 3, axis(0))
    await elastic.settle()
    projection = projection_of(elastic)
    async with pool.connection() as conn:
        await conn.execute(
            "UPDATE search_vectors SET embedding = '[1,2,3]' WHERE chunk_id ="
            " (SELECT id FROM search_chunks WHERE slug = 'd001')"
        )
        await conn.execute("UPDATE search_chunks SET topic = 'moved'")
    await elastic.settle()
    (aside,) = await projection.list_set_aside()
    assert aside.document_id == "knowledge:d001:es"
    assert "dimensions" in aside.reason
    topics = {slug: topic for slug, topic, _ in (await sent_content(elastic)).values()}
    assert topics == {"d000": "moved", "d001": "", "d002": "moved"}

    assert await projection.retry_set_aside() == 1
    await elastic.settle()
    assert len(await projection.list_set_aside()) == 1

    async with pool.connection() as conn:  # what mends it is a change like any other
        await conn.execute(
            "UPDATE search_vectors SET embedding = (SELECT embedding FROM search_vectors"
            " WHERE vector_dims(embedding) > 3 LIMIT 1) WHERE vector_dims(embedding) = 3"
        )
    await elastic.settle()
    assert await projection.list_set_aside() == []
    await assert_in_step(elastic, pool)


async def test_a_killed_senders_chunks_are_sent_by_others(elastic: Shelf, pool: Pool) -> None:
    await elastic.settle()
    await ingest(elastic, 2)
    async with pool.connection() as conn:
        assert len(await queue.claim(conn, limit=10)) == 2
        assert await projection_of(elastic).push() == 0
        await conn.execute("UPDATE search_changes SET claimed_until = now() - interval '1 s'")
    assert await projection_of(elastic).push() == 2
    await elastic.settle()
    await assert_in_step(elastic, pool)


async def test_a_deletion_is_told_in_the_same_request(elastic: Shelf, pool: Pool) -> None:
    await ingest(elastic, 3)
    await elastic.settle()
    store = ProjectedStore(pool, projection_of(elastic))
    await store.delete(["knowledge:d001:es"])
    assert {slug for slug, _, _ in (await sent_content(elastic)).values()} == {"d000", "d002"}
    gone = await store.withdraw_missing("x", kept_ids=["knowledge:d000:es"], kept_paths=[])
    assert gone == 1
    assert {slug for slug, _, _ in (await sent_content(elastic)).values()} == {"d000"}
    assert await queued(pool) == []


async def test_an_index_that_nobody_tells_of_changes_is_forgotten(
    elastic: Shelf, pool: Pool
) -> None:
    await elastic.settle()
    await ingest(elastic, 2)
    assert await forget_forsaken(pool, for_s=60) == 0
    async with pool.connection() as conn:
        await conn.execute("UPDATE search_changes SET changed_at = now() - interval '2 min'")
    assert await forget_forsaken(pool, for_s=60) == 1
    assert await queued(pool) == []
    await ingest(elastic, 4)
    assert await queued(pool) == []
    await elastic.settle()  # and whoever searches there again builds it anew
    await assert_in_step(elastic, pool)


# --- outages ------------------------------------------------------------------------------------


async def test_changes_wait_while_the_server_is_down_and_an_empty_one_is_filled(
    pool: Pool, own: Shelf, own_server: SearchServer
) -> None:
    await ingest(own, 3)
    await own.settle()
    await own.documents.delete(["knowledge:d001:es"])
    own_server.kill()
    with pytest.raises(StoreUnavailable):
        await projection_of(own).push()
    (waiting,) = await queued(pool)
    assert (waiting["attempts"], waiting["claimed_until"]) == (1, None)
    assert "does not answer" in waiting["reason"]
    own_server.start()  # with nothing in it
    await own.settle()
    assert len(await assert_in_step(own, pool)) == 2


async def test_a_keeper_lives_through_an_outage_and_leaves_the_server_alone_meanwhile(
    pool: Pool, own: Shelf, own_server: SearchServer
) -> None:
    now = 0.0
    keeper = Keeper(projection_of(own), clock=lambda: now)
    await keeper.keep()
    await ingest(own, 2)
    own_server.kill()
    await keeper.keep()
    assert len(await queued(pool)) == 2
    own_server.start()
    await keeper.keep()  # too early to try again
    assert len(await queued(pool)) == 2
    now += FIRST_S
    async with pool.connection() as conn:
        await conn.execute("UPDATE search_changes SET available_at = now()")
    await keeper.keep()
    await own.settle()
    await assert_in_step(own, pool)


async def test_indexes_that_the_server_has_lost_or_guessed_are_built_anew(
    pool: Pool, own: Shelf
) -> None:
    await ingest(own, 3)
    await own.settle()
    assert own.client is not None
    lost = index_of(own.prefix, ("knowledge", "es"), (await _serving(own)).id)
    await own.client.indices.delete(index=lost)
    await own.client.index(index=lost, id="1", document={"text": "made by the server"})
    await own.settle()
    assert len(await assert_in_step(own, pool)) == 3


async def test_an_alias_that_leads_elsewhere_is_put_right(pool: Pool, own: Shelf) -> None:
    await ingest(own, 3)
    await own.settle()
    assert own.client is not None
    alias = alias_of(own.prefix, ("knowledge", "es"))
    await own.client.indices.delete_alias(index=f"{alias}-*", name=alias)
    before = await _serving(own)
    await own.settle()
    assert await _serving(own) == before
    await assert_in_step(own, pool)


async def _serving(shelf: Shelf) -> Generation:
    (generation,) = await projection_of(shelf).list_generations()
    return generation


async def _insert_chunk(conn: AsyncConnection[DictRow], slug: str) -> None:
    await conn.execute(
        "INSERT INTO search_documents (id, version, current, kind, slug, language, audience, topic,"
        " title, format, body, url, metadata, collection, path, content_hash, chunks_hash)"
        " VALUES (%(slug)s, 1, true, 'knowledge', %(slug)s, 'es', 'public', '', 'T', 'markdown',"
        " 'B', '', '{}', 'x', '', '', '')",
        {"slug": slug},
    )
    await conn.execute(
        "INSERT INTO search_chunks (document_id, version, ordinal, kind, slug, language, audience,"
        " topic, anchor, headings, body, tokens, text_hash)"
        " VALUES (%(slug)s, 1, 0, 'knowledge', %(slug)s, 'es', 'public', '', '', 'T', 'B', 1, '')",
        {"slug": slug},
    )
