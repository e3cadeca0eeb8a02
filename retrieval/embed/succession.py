"""Lets the embedder that is set follow the one that serves, once it is complete."""

from retrieval.embed.protocol import Embedder
from retrieval.stores.protocol import EmbedderStore, VectorStore

#: Every process has noticed by then who serves: it looks every few seconds.
GRACE_S = 60.0


class Succession:
    """Takes the steps that are due from one embedder to the next; may be run by any process.

    Args:
        embedder: the one that is set; None leaves all as it is.
    """

    def __init__(
        self, embedders: EmbedderStore, vectors: VectorStore, embedder: Embedder | None
    ) -> None:
        self._embedders = embedders
        self._vectors = vectors
        self._embedder = embedder

    async def settle(self, *, grace_s: float = GRACE_S) -> None:
        """Build the indexes, let the embedder take over, delete what nobody reads any more.

        The indexes of one that fills are built when it is complete, before it takes over: that
        is several times as fast as adding to them one by one.

        Args:
            grace_s: vectors of a retired embedder stay so long.
        """
        if self._embedder is None:
            return
        embedder_id, serving = self._embedder.id, await self._embedders.get_serving()
        if serving is None:
            return
        if serving == embedder_id or not await self._vectors.count_pending(embedder_id):
            await self._embedders.build_indexes(embedder_id)
            await self._embedders.take_over(embedder_id)
        await self._embedders.delete_retired(for_s=grace_s)
