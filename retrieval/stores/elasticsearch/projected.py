"""The store of documents where Elasticsearch searches: what is deleted is told there at once."""

import asyncio
import logging
from collections.abc import Collection

from retrieval.errors import StoreUnavailable
from retrieval.stores.elasticsearch.projection import Projection
from retrieval.stores.pgvector import PgVectorStore, Pool

_log = logging.getLogger(__name__)

#: So long who deletes something waits for the search server; what is left then follows soon.
AT_ONCE_S = 2.0


class ProjectedStore(PgVectorStore):
    """Keeps documents in PostgreSQL and sends deletions on once they are committed.

    Every other change follows within a second, from the same queue.
    """

    def __init__(self, pool: Pool, projection: Projection) -> None:
        super().__init__(pool)
        self._projection = projection

    async def delete(self, ids: Collection[str]) -> int:
        """Remove documents with all versions, chunks and vectors."""
        deleted = await super().delete(ids)
        await self._tell()
        return deleted

    async def withdraw_missing(
        self, collection: str, *, kept_ids: Collection[str], kept_paths: Collection[str]
    ) -> int:
        """Withdraw what a collection no longer holds."""
        withdrawn = await super().withdraw_missing(
            collection, kept_ids=kept_ids, kept_paths=kept_paths
        )
        if withdrawn:
            await self._tell()
        return withdrawn

    async def _tell(self) -> None:
        try:
            async with asyncio.timeout(AT_ONCE_S):
                while await self._projection.push(seen_at_once=True):
                    pass
        except TimeoutError:
            _log.info("deletions reach the search server later: it takes its time")
        except StoreUnavailable as failure:
            _log.info("deletions reach the search server later: %s", failure.safe_message)
