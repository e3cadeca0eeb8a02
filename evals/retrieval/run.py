"""Runs the suite on a server that goes when it ends, with vectors that stay."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from api.settings import Settings
from evals.retrieval.suite import Place, RetrievalResult, measure_retrieval
from evals.retrieval.vectors import KeptVectors
from evals.servers import throwaway
from evals.settings import EvalSettings
from retrieval.embed.build_cache import VECTORS as SHIPPED
from retrieval.embed.cache import load_vector_cache
from retrieval.embed.choice import choose_embedder
from retrieval.settings import RetrievalSettings

_VECTORS = Path("eval-vectors")


def run_retrieval(say: Callable[[str], None]) -> RetrievalResult:
    """Measure the search with the embedder that is set.

    The first run embeds every text that is searched, which takes minutes; later ones find the
    vectors under `.orienta`.
    """
    given = EvalSettings()
    embedder = choose_embedder(RetrievalSettings())
    if embedder is None:
        raise ValueError("the suite measures an embedder: ORIENTA_EMBEDDER must not be none")
    kept = KeptVectors(
        embedder, given.home / _VECTORS, ready=load_vector_cache(SHIPPED, embedder.id)
    )
    try:
        with throwaway(Settings()) as settings:
            place = Place(settings.require_database_url(), kept, given.data)
            return asyncio.run(measure_retrieval(place, say))
    finally:
        kept.save()
