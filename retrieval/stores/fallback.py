"""Searches in one store and, while that fails, in another: a question always gets its answer."""

import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

from retrieval.embed.protocol import Vector
from retrieval.errors import StoreRefused, StoreUnavailable
from retrieval.models import Hit, Kind, Language
from retrieval.stores.protocol import Centre, Match, Scope, SearchStore, Trait
from retrieval.stores.recess import Recess

_log = logging.getLogger(__name__)

Search = Callable[[SearchStore], Awaitable[list[Match]]]


class FallbackStore:
    """Implements the search protocol over two stores whose scores mean the same.

    Args:
        second: PostgreSQL, which has everything; without it nothing else works either.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        first: SearchStore,
        second: SearchStore,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first = first
        self._second = second
        self._recess = Recess(clock)

    @property
    def failure(self) -> str | None:
        """Why the first store is left alone now; None while it serves."""
        return self._recess.reason

    async def search_lexical(
        self, scope: Scope, language: Language, text: str, *, limit: int
    ) -> list[Match]:
        """Find chunks by their words, best first."""
        found = await self._ask_first(
            lambda store: store.search_lexical(scope, language, text, limit=limit)
        )
        if found is not None:
            return found
        return await self._second.search_lexical(scope, language, text, limit=limit)

    async def search_dense(
        self,
        scope: Scope,
        language: Language,
        vector: Vector,
        *,
        embedder_id: str,
        also: Collection[int],
        limit: int,
    ) -> list[Match]:
        """Find the nearest chunks, and score the ones in `also` that have a vector."""

        def search(store: SearchStore) -> Awaitable[list[Match]]:
            return store.search_dense(
                scope, language, vector, embedder_id=embedder_id, also=also, limit=limit
            )

        # Nothing at all: the first store may still have the vectors of the embedder before.
        return await self._ask_first(search) or await search(self._second)

    async def get_centres(
        self, kind: Kind, vector: Vector, *, embedder_id: str
    ) -> dict[Language, Centre]:
        """Return how near the query is to the mean of each language's chunks."""
        return await self._second.get_centres(kind, vector, embedder_id=embedder_id)

    async def get_traits(
        self, chunk_ids: Collection[int], *, embedder_id: str | None
    ) -> dict[int, Trait]:
        """Return the section of each chunk and how near it is to the centres."""
        return await self._second.get_traits(chunk_ids, embedder_id=embedder_id)

    async def get_hits(self, scope: Scope, scores: Mapping[int, float]) -> list[Hit]:
        """Return chunks by id with what their citation needs, in the given order."""
        return await self._second.get_hits(scope, scores)

    async def _ask_first(self, search: Search) -> list[Match] | None:
        """Return what the first store finds; None if it cannot say."""
        if not self._recess.may_ask():
            return None
        try:
            found = await search(self._first)
        except StoreRefused as refused:  # it answers, but not this
            self._recess.succeed()
            _log.info("searching in PostgreSQL this time: %s", refused.safe_message)
            return None
        except StoreUnavailable as failure:
            if self._recess.fail(failure.safe_message):
                _log.warning("searching in PostgreSQL meanwhile: %s", failure.safe_message)
            return None
        if self._recess.succeed():
            _log.warning("searching in the search server again")
        return found
