"""Searches in Elasticsearch; what is shown of it always comes from PostgreSQL."""

from collections.abc import Collection, Mapping

from elasticsearch import AsyncElasticsearch

from retrieval.embed.protocol import Vector
from retrieval.models import Hit, Kind, Language
from retrieval.stores.elasticsearch.connection import within
from retrieval.stores.elasticsearch.dense import find_near
from retrieval.stores.elasticsearch.lexical import rank, terms_of
from retrieval.stores.elasticsearch.names import alias_of
from retrieval.stores.protocol import Centre, Match, Scope, SearchStore, Trait
from retrieval.text import printable


class ElasticsearchStore:
    """Implements the search protocol over a client it is given.

    Args:
        truth: PostgreSQL; it gives hits, so that what was deleted, withdrawn or is for staff is
            not shown even while this index lags, and the means of vectors, which no query here
            computes.
        limit_s: the longest that one search may take.
    """

    def __init__(
        self, client: AsyncElasticsearch, truth: SearchStore, *, prefix: str, limit_s: float
    ) -> None:
        self._client = client
        self._truth = truth
        self._prefix = prefix
        self._limit_s = limit_s

    async def search_lexical(
        self, scope: Scope, language: Language, text: str, *, limit: int
    ) -> list[Match]:
        """Find chunks by their words, those with the most telling ones first.

        Raises: StoreUnavailable, StoreRefused.
        """
        index = alias_of(self._prefix, (scope.kind, language))
        async with within(self._limit_s):
            terms, total = await terms_of(self._client, index, printable(text))
            if not terms:
                return []
            return await rank(
                self._client, index, scope, language, terms=terms, total=total, limit=limit
            )

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
        """Find the nearest chunks, and score the ones in `also` that have a vector.

        Raises:
            StoreUnavailable: the server does not answer.
            StoreRefused: it does not; so it is where its vectors are of another size.
        """
        async with within(self._limit_s):
            return await find_near(
                self._client,
                alias_of(self._prefix, (scope.kind, language)),
                scope,
                language,
                vector=vector,
                embedder_id=embedder_id,
                also=also,
                limit=limit,
            )

    async def get_centres(
        self, kind: Kind, vector: Vector, *, embedder_id: str
    ) -> dict[Language, Centre]:
        """Return how near the query is to the mean of each language's chunks."""
        return await self._truth.get_centres(kind, vector, embedder_id=embedder_id)

    async def get_traits(
        self, chunk_ids: Collection[int], *, embedder_id: str | None
    ) -> dict[int, Trait]:
        """Return the section of each chunk and how near it is to the centres."""
        return await self._truth.get_traits(chunk_ids, embedder_id=embedder_id)

    async def get_hits(self, scope: Scope, scores: Mapping[int, float]) -> list[Hit]:
        """Return chunks by id with what their citation needs, in the given order."""
        return await self._truth.get_hits(scope, scores)
