"""Keeps Elasticsearch in step with PostgreSQL: sends changes, builds indexes, lets them serve."""

import asyncio
import logging
import time
from collections.abc import Sequence

import psycopg.errors
from elasticsearch import AsyncElasticsearch

from retrieval.stores.elasticsearch import changes as queue
from retrieval.stores.elasticsearch import generations
from retrieval.stores.elasticsearch.bulk import Outcome, Sender
from retrieval.stores.elasticsearch.changes import SetAside
from retrieval.stores.elasticsearch.generations import Generation
from retrieval.stores.elasticsearch.indexes import Indexes
from retrieval.stores.elasticsearch.shape import shape_id
from retrieval.stores.pgvector import Pool

_log = logging.getLogger(__name__)

_BATCH = 200
#: How often a process looks whether the indexes that serve are still what they should be.
REVIEW_S = 10.0


class Projection:
    """Tells Elasticsearch what changed; everything may be repeated, killed and run by several.

    Args:
        pool: autocommit connections that return rows as dicts.
        limit_s: the longest that one request may take.
        review_s: how often the indexes that serve are looked at.
    """

    def __init__(
        self,
        pool: Pool,
        client: AsyncElasticsearch,
        *,
        prefix: str,
        limit_s: float,
        review_s: float = REVIEW_S,
    ) -> None:
        self._pool = pool
        self._review_s = review_s
        self._review_at = time.monotonic()
        self._indexes = Indexes(client, prefix=prefix, limit_s=limit_s)
        self._sender = Sender(client, prefix=prefix, limit_s=limit_s)

    async def push(self, *, limit: int = _BATCH, seen_at_once: bool = False) -> int:
        """Send a batch of changes; returns how many there were.

        Args:
            seen_at_once: searches find what was sent when this returns.
        Raises: StoreUnavailable: the changes stay queued.
        """
        async with self._pool.connection() as conn:
            claimed = await queue.claim(conn, limit=limit)
        if not claimed:
            return 0
        try:
            async with self._pool.connection() as conn:
                chunks = await queue.read_chunks(conn, claimed)
            outcome = await self._sender.send(claimed, chunks, seen_at_once=seen_at_once)
        except BaseException as failure:
            reason = getattr(failure, "safe_message", "The sender was stopped.")
            await asyncio.shield(self._settle(Outcome(postponed=[(c, reason) for c in claimed])))
            raise
        await self._settle(outcome)
        return len(claimed)

    async def advance(self) -> bool:
        """Take the next step towards indexes that are whole and of today's shape.

        Returns: whether there may be more to do at once.
        Raises: StoreUnavailable.
        """
        async with self._pool.connection() as conn:
            known = await generations.select_all(conn)
        by_state = {g.state: g for g in known}
        serving = by_state.get("serving")
        if retired := [g for g in known if g.state == "retired"]:
            return await self._drop(retired)
        if planned := by_state.get("planned"):
            return await self._start(planned)
        if building := by_state.get("building"):
            return await self._finish(building)
        if serving and time.monotonic() < self._review_at:
            return False
        self._review_at = time.monotonic() + self._review_s
        return await self._review(serving)

    async def begin(self) -> bool:
        """Have all indexes built anew while the old ones serve; goes on with a build under way.

        Returns: False if chunks are being changed all the time: try again.
        """
        try:
            async with self._pool.connection() as conn, conn.transaction():
                await generations.plan(conn, shape_id(), await generations.select_embedder(conn))
        except psycopg.errors.LockNotAvailable:
            _log.info("the search index is built later: chunks are being changed")
            return False
        return True

    async def list_generations(self) -> list[Generation]:
        """Return every generation, the oldest first."""
        async with self._pool.connection() as conn:
            return await generations.select_all(conn)

    async def list_set_aside(self, *, limit: int = 20) -> list[SetAside]:
        """Return changes that the server does not take."""
        async with self._pool.connection() as conn:
            return await queue.list_set_aside(conn, limit=limit)

    async def retry_set_aside(self) -> int:
        """Let what was set aside be tried again; returns how many."""
        async with self._pool.connection() as conn:
            return await queue.retry_set_aside(conn)

    async def count_searched(self) -> int:
        """Return how many chunks the server searches.

        Raises: StoreUnavailable.
        """
        return await self._indexes.count()

    async def _settle(self, outcome: Outcome) -> None:
        async with self._pool.connection() as conn:
            if outcome.taken:
                await queue.settle(conn, outcome.taken)
            for reason in {reason for _, reason in outcome.postponed}:
                waiting = [c for c, why in outcome.postponed if why == reason]
                await queue.postpone(conn, waiting, reason)
            for change, reason in outcome.refused:
                _log.error("chunk %d is set aside: %s", change.chunk_id, reason)
                await queue.set_aside(conn, change, reason)

    async def _drop(self, retired: Sequence[Generation]) -> bool:
        for generation in retired:
            await self._indexes.delete(generation)
            async with self._pool.connection() as conn:
                await generations.forget(conn, generation.id)
        return True

    async def _start(self, planned: Generation) -> bool:
        await self._indexes.create(planned)
        async with self._pool.connection() as conn, conn.transaction():
            await generations.queue_all(conn, planned.id)
        return True

    async def _finish(self, building: Generation) -> bool:
        """Let a generation that is complete serve; one that the server has lost is given up."""
        async with self._pool.connection() as conn:
            if not await generations.is_complete(conn, building.id):
                return False
        if not await self._indexes.are_sound(building):
            return await self._give_up(building)
        await self._indexes.switch_to(building)
        async with self._pool.connection() as conn, conn.transaction():
            await generations.serve(conn, building.id)
        _log.info("search index %d serves", building.id)
        return True

    async def _review(self, serving: Generation | None) -> bool:
        """Look whether what serves is there, whole and of today's shape and embedder."""
        if serving is not None and not await self._indexes.are_searched(serving):
            if not await self._indexes.are_sound(serving):
                return await self._give_up(serving)
            await self._indexes.switch_to(serving)
        async with self._pool.connection() as conn:
            embedder = await generations.select_embedder(conn)
        wanted = (shape_id(), embedder and embedder.embedder)
        if serving is not None and (serving.shape, serving.embedder) == wanted:
            return False
        return await self.begin()

    async def _give_up(self, generation: Generation) -> bool:
        _log.warning("search index %d is not as it was made: building anew", generation.id)
        async with self._pool.connection() as conn:
            await generations.retire(conn, generation.id)
        return True
