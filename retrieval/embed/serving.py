"""Tells by which embedder questions have to be embedded now."""

import time
from collections.abc import Callable
from typing import Protocol

from retrieval.embed.protocol import OpenEmbedder

#: Who serves changes once in months; vectors of the one before stay for longer than this.
_LOOK_EVERY_S = 5.0


class ServingRow(Protocol):
    """Knows whose vectors are searched."""

    async def get_serving(self) -> str | None:
        """Return the embedder whose vectors are searched."""


class ServingEmbedder:
    """Follows the index: the embedder that is set may not serve yet.

    Args:
        configured: the one that is set.
        load: returns another by its id, not loaded yet; None where this process cannot.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        index: ServingRow,
        configured: OpenEmbedder,
        load: Callable[[str], OpenEmbedder | None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._index = index
        self._configured = configured
        self._load = load
        self._clock = clock
        self._serving: OpenEmbedder | None = configured
        self._looked_at: float | None = None

    async def current(self) -> OpenEmbedder | None:
        """Return the embedder whose vectors are searched; None if it cannot be had here."""
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= _LOOK_EVERY_S:
            serving = await self._index.get_serving()
            self._looked_at = now
            if serving is None or serving == self._configured.id:
                self._serving = self._configured
            elif self._serving is None or self._serving.id != serving:
                self._serving = self._load(serving)
        return self._serving

    async def aclose(self) -> None:
        """Close what the embedders hold open."""
        await self._configured.aclose()
        if self._serving is not None and self._serving is not self._configured:
            await self._serving.aclose()
