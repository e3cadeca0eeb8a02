"""Lets one embedder follow another in PostgreSQL."""

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from retrieval.stores import pg_embedders, pg_statistics, pg_vectors
from retrieval.stores.protocol import EmbedderState

#: 50,000 vectors of 384 dimensions and their graph take about 80 MB.
_BUILD_MEMORY_MB = 256


class PgEmbedderStore:
    """Implements `EmbedderStore` over a pool it is given.

    Args:
        pool: autocommit connections that return rows as dicts.
    """

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[DictRow]]) -> None:
        self._pool = pool

    async def get_serving(self) -> str | None:
        """Return the embedder whose vectors are searched."""
        async with self._pool.connection() as conn:
            return await pg_embedders.select_serving(conn)

    async def list_embedders(self) -> list[EmbedderState]:
        """Return every embedder that has vectors, the serving one first."""
        async with self._pool.connection() as conn:
            return await pg_embedders.select_all(conn)

    async def build_indexes(self, embedder_id: str) -> None:
        """Build what is missing of an embedder's indexes, unless somebody else is at it."""
        async with self._pool.connection() as conn:
            if not await pg_embedders.try_build_lock(conn):
                return
            try:
                await pg_embedders.build_indexes(conn, embedder_id, memory_mb=_BUILD_MEMORY_MB)
            finally:
                await pg_embedders.release_build_lock(conn)

    async def take_over(self, embedder_id: str) -> bool:
        """Let an embedder serve if every chunk has its vector, and retire all others.

        Returns: whether it serves now.
        """
        async with self._pool.connection() as conn, conn.transaction():
            await pg_embedders.lock(conn)
            await pg_embedders.retire_filling(conn, but=embedder_id)
            if await pg_embedders.select_serving(conn) == embedder_id:
                return True
            if await pg_vectors.count_pending(conn, embedder_id, claimable_only=False):
                return False
            await pg_statistics.lock(conn)
            await pg_statistics.refresh_centres(conn, embedder_id)
            return await pg_embedders.hand_over(conn, embedder_id)

    async def delete_retired(self, *, for_s: float) -> None:
        """Delete the vectors and indexes of embedders retired for at least so many seconds."""
        async with self._pool.connection() as conn:
            for embedder_id in await pg_embedders.select_retired(conn, for_s=for_s):
                await pg_embedders.delete_retired(conn, embedder_id)
