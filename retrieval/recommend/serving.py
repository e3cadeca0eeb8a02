"""Keeps the recommender that serves at hand, and takes up a newer one when there is one."""

import asyncio

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from retrieval.recommend.recommender import Recommender
from retrieval.stores import pg_recommenders as store


class ServingRecommender:
    """The stored recommender, unpacked once a version."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[DictRow]]) -> None:
        self._pool = pool
        self._held: Recommender | None = None
        self._lock = asyncio.Lock()

    async def current(self) -> Recommender | None:
        """Return the recommender that serves; None before the first was trained."""
        async with self._pool.connection() as conn:
            version = await store.serving_version(conn)
        if version is None or (self._held is not None and self._held.version == version):
            return self._held
        async with self._lock:
            if self._held is None or self._held.version != version:
                async with self._pool.connection() as conn:
                    self._held = await store.load_recommender(conn)
        return self._held
