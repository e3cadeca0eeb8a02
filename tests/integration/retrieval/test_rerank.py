"""A cross-encoder that the test writes to disk: a tiny BERT of random weights has the last word.

It proves the wiring, not the model. The extra `models` is not installed by default; without it this
is skipped.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from retrieval.errors import ModelUnavailable
from retrieval.ingest.service import IngestService
from retrieval.models import Document, SearchResult, embedding_text
from retrieval.rerank import CrossEncoderReranker, Reranker, choose_reranker
from retrieval.search import KnowledgeSearch
from retrieval.settings import RetrievalSettings
from retrieval.stores.pgvector import PgVectorStore
from tests.integration.retrieval.conftest import TODAY

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what these packages warn of at import is theirs to mend
    pytest.importorskip("torch", reason="needs the extra `models`: torch is not installed")
    sentence_transformers = pytest.importorskip(
        "sentence_transformers", reason="needs the extra `models`: sentence-transformers"
    )
    import torch
    import transformers

pytestmark = pytest.mark.filterwarnings("ignore")

ANIMALS = ("gato", "perro", "loro", "pez", "oso", "rana", "lobo", "vaca")
WORDS = [*"[PAD] [UNK] [CLS] [SEP] [MASK] animal ficha el es un . :".split(), *ANIMALS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a BERT of one layer that ends in one score."""
    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("tiny")
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(WORDS), encoding="utf-8")
    model = transformers.BertForSequenceClassification(
        transformers.BertConfig(
            vocab_size=len(WORDS),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
            initializer_range=1.0,
            num_labels=1,
        )
    )
    model.save_pretrained(folder)
    transformers.BertTokenizerFast(str(vocabulary)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def reranker(folder: Path) -> Reranker:
    chosen = choose_reranker(
        RetrievalSettings(
            _env_file=None, reranker="sentence-transformers", reranking_model=str(folder)
        )
    )
    assert chosen is not None
    return chosen


async def ask(store: PgVectorStore, reranker: Reranker | None) -> SearchResult:
    documents = [
        Document(
            id=f"kb:{name}:es",
            kind="knowledge",
            slug=name,
            language="es",
            title="Ficha",
            body=f"El {name} es un animal.",
        )
        for name in ANIMALS
    ]
    await IngestService(store, None).ingest_documents(documents, collection="x")
    return await KnowledgeSearch(store, None, reranker=reranker).search(
        "animal",
        kind="knowledge",
        audiences=frozenset({"public"}),
        on=TODAY,
        query_language="es",
        limit=5,
    )


async def test_the_order_and_the_scores_are_the_models(
    store: PgVectorStore, reranker: Reranker, folder: Path
) -> None:
    result = await ask(store, reranker)
    plain = sentence_transformers.CrossEncoder(str(folder), local_files_only=True, device="cpu")
    pairs = [("animal", embedding_text(("Ficha",), f"El {a} es un animal.")) for a in ANIMALS]
    scores = plain.predict(pairs, activation_fn=torch.nn.Sigmoid())
    expected = sorted(zip(ANIMALS, scores.tolist(), strict=True), key=lambda pair: -pair[1])[:5]
    assert [h.slug for h in result.hits] == [name for name, _ in expected]
    assert [h.score for h in result.hits] == pytest.approx([s for _, s in expected], abs=1e-5)
    without = await ask(store, None)
    assert [h.slug for h in without.hits] != [h.slug for h in result.hits]
    assert result.confidence == without.confidence


async def test_a_model_that_fails_leaves_the_order_as_it_was(
    store: PgVectorStore, tmp_path: Path
) -> None:
    broken = CrossEncoderReranker(str(tmp_path), threads=1)
    found, without = await ask(store, broken), await ask(store, None)
    assert found == without


def test_a_reranker_without_a_model_is_refused_by_name() -> None:
    with pytest.raises(ModelUnavailable, match="ORIENTA_RERANKING_MODEL"):
        choose_reranker(RetrievalSettings(_env_file=None, reranker="sentence-transformers"))
