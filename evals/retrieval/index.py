"""An index of its own for each corpus, and the questions asked of it."""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from api.migrations.runner import migrate
from crm.db import open_pool
from evals.retrieval.measure import Asked
from evals.retrieval.question import Question
from evals.servers import database_beside
from retrieval.confidence import ABSTAIN_BELOW
from retrieval.embed.protocol import Embedder
from retrieval.ingest.service import IngestService
from retrieval.models import Document, Hit, Language
from retrieval.search import KnowledgeSearch
from retrieval.stores.pgvector import PgVectorStore

_READERS = frozenset({"public", "students"})

#: Names a hit as the questions' gold does; empty where it cannot be right.
NameOf = Callable[[Hit], str]


def slug_of(hit: Hit) -> str:
    """Name a hit after its document."""
    return hit.slug


@asynccontextmanager
async def open_index(
    url: str, embedder: Embedder, documents: Sequence[Document]
) -> AsyncIterator[KnowledgeSearch]:
    """Lend a search over these documents alone, cut and embedded as the product does it.

    Args:
        url: of any database of the server.
    """
    with database_beside(url) as own:
        migrate(own)
        pool = await open_pool(own, max_size=4)
        try:
            store = PgVectorStore(pool)
            ingest = IngestService(store, embedder)
            await ingest.ingest_documents(documents, collection="eval")
            while await ingest.embed_pending():
                pass
            yield KnowledgeSearch(store, embedder)
        finally:
            await pool.close()


async def ask_all(
    search: KnowledgeSearch,
    questions: Iterable[Question],
    *,
    depth: int = 10,
    name_of: NameOf = slug_of,
    languages: frozenset[Language] | None = None,
    tell_language: bool = False,
) -> list[Asked]:
    """Ask every question.

    Args:
        languages: of the documents that may be found; None for all.
        tell_language: whether the search is told the reader's language, as a conversation knows it.
    """
    asked = []
    today = datetime.now(UTC).date()
    for question in questions:
        started = time.perf_counter()
        result = await search.search(
            question.text,
            kind=question.kind,
            audiences=_READERS,
            on=today,
            query_language=question.language if tell_language else None,
            languages=languages,
            limit=depth,
        )
        seconds = time.perf_counter() - started
        found = tuple(dict.fromkeys(filter(None, map(name_of, result.hits))))
        answered = result.confidence >= ABSTAIN_BELOW
        asked.append(Asked(question, found, answered, result.confidence, seconds))
    return asked
