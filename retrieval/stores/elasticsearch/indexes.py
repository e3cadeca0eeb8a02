"""The indexes of a generation on the server: made, looked at, put behind the aliases, deleted."""

from collections.abc import Mapping
from typing import Any

from elasticsearch import AsyncElasticsearch, BadRequestError

from retrieval.stores.elasticsearch.connection import within
from retrieval.stores.elasticsearch.generations import Generation
from retrieval.stores.elasticsearch.names import CORPORA, alias_of, index_of
from retrieval.stores.elasticsearch.shape import index_mappings, index_settings, shape_id

_EXISTS = "resource_already_exists_exception"


class Indexes:
    """Does to indexes what their generation needs; every act may be repeated.

    Args:
        limit_s: the longest that one request may take.
    """

    def __init__(self, client: AsyncElasticsearch, *, prefix: str, limit_s: float) -> None:
        self._client = client
        self._prefix = prefix
        self._limit_s = limit_s

    async def create(self, generation: Generation) -> None:
        """Make the indexes of a generation, those that are not there yet."""
        for corpus in CORPORA:
            async with within(self._limit_s):
                try:
                    await self._client.indices.create(
                        index=index_of(self._prefix, corpus, generation.id),
                        settings=index_settings(corpus[1]),
                        mappings=index_mappings(generation.id, generation.dimensions),
                    )
                except BadRequestError as answer:
                    if answer.error != _EXISTS:
                        raise

    async def are_sound(self, generation: Generation) -> bool:
        """Whether all the indexes of a generation are there and as this code would make them.

        A server that has lost an index makes one by itself when it is written to, and guesses how.
        """
        return await self._made(self._names(generation.id)) == self._names(generation.id)

    async def are_searched(self, generation: Generation) -> bool:
        """Whether the aliases lead to a generation's indexes, each to one, and these are sound."""
        aliases = [alias_of(self._prefix, corpus) for corpus in CORPORA]
        return await self._made(aliases) == self._names(generation.id)

    async def switch_to(self, generation: Generation) -> None:
        """Let all aliases lead to a generation's indexes, at one moment."""
        actions: list[Mapping[str, Any]] = []
        for corpus in CORPORA:
            alias, index = (
                alias_of(self._prefix, corpus),
                index_of(self._prefix, corpus, generation.id),
            )
            actions += [
                {"remove": {"index": f"{alias}-*", "alias": alias, "must_exist": False}},
                {"add": {"index": index, "alias": alias}},
            ]
        async with within(self._limit_s):
            await self._client.indices.refresh(index=self._names(generation.id))
            await self._client.indices.update_aliases(actions=actions)

    async def delete(self, generation: Generation) -> None:
        """Delete the indexes of a generation."""
        async with within(self._limit_s):
            await self._client.indices.delete(
                index=self._names(generation.id), ignore_unavailable=True
            )

    async def count(self) -> int:
        """Return how many chunks are searched."""
        async with within(self._limit_s):
            aliases = [alias_of(self._prefix, corpus) for corpus in CORPORA]
            return int((await self._client.count(index=aliases))["count"])

    def _names(self, generation: int) -> list[str]:
        return sorted(index_of(self._prefix, corpus, generation) for corpus in CORPORA)

    async def _made(self, names: list[str]) -> list[str]:
        """Return the indexes behind names that this code has made."""
        async with within(self._limit_s):
            found = await self._client.indices.get_mapping(index=names, ignore_unavailable=True)
        meta = {index: about["mappings"].get("_meta", {}) for index, about in found.items()}
        return sorted(index for index, about in meta.items() if about.get("shape") == shape_id())
