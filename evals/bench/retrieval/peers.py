"""The peers over the same passages; they are the extra `bench`, and left out where it is not."""

import importlib.util
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import create_engine

from evals.bench.retrieval import store
from evals.bench.retrieval.corpus import Corpus
from evals.bench.retrieval.measures import MOST
from evals.bench.retrieval.questions import Question
from retrieval.models import LANGUAGES

INSTALL = "pip install -c requirements.lock -e '.[bench]'"
BM25, VECTORS = "haystack-ai", "langchain-postgres"
_MODULES = {BM25: "haystack", VECTORS: "langchain_postgres"}
_COLLECTION = "bench"

Answer = Callable[[Question], object]


def is_installed(peer: str) -> bool:
    """Return whether a peer can be measured here."""
    return importlib.util.find_spec(_MODULES[peer]) is not None


def haystack_bm25(corpus: Corpus) -> Answer:
    """Return haystack's search by words over the passages, in memory as it keeps them."""
    os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
    from haystack import Document
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    documents = InMemoryDocumentStore()
    for language in LANGUAGES:
        named = zip(corpus.ids[language], corpus.passages[language].texts, strict=True)
        documents.write_documents([Document(id=str(n), content=text) for n, text in named])
    return lambda question: documents.bm25_retrieval(question.text, top_k=MOST)


@contextmanager
def langchain_pgvector(corpus: Corpus, database_url: str) -> Iterator[Answer]:
    """Lend langchain's search by vectors over the passages, in the tables that it makes.

    It makes no index on the vectors: all are compared, exactly.
    """
    from langchain_core.embeddings import DeterministicFakeEmbedding
    from langchain_postgres import PGVector

    size = next(iter(corpus.passages.values())).vectors.shape[1]
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    vectors = PGVector(
        embeddings=DeterministicFakeEmbedding(size=size),  # the vectors are given
        collection_name=_COLLECTION,
        connection=engine,
        embedding_length=size,
    )
    with psycopg.connect(database_url) as connection:
        store.copy_peer(connection, _COLLECTION, _rows(corpus))
    yield lambda question: vectors.similarity_search_with_score_by_vector(
        question.vector.tolist(), k=MOST, filter={"language": question.language}
    )
    engine.dispose()


def _rows(corpus: Corpus) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for language in LANGUAGES:
        passages = corpus.passages[language]
        for text, vector in zip(passages.texts, passages.vectors, strict=True):
            yield str(uuid.uuid4()), str(vector.tolist()), text, {"language": language}
