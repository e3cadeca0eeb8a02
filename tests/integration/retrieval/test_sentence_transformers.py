"""sentence-transformers with a model that the test writes to disk: a tiny BERT of random weights.

It proves the wiring, not the model. The extra `models` is not installed by default; without it this
is skipped.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from retrieval.embed.choice import choose_embedder
from retrieval.embed.protocol import Embedder
from retrieval.embed.sentence_transformers import SentenceTransformerEmbedder
from retrieval.errors import EmbedderUnavailable
from retrieval.ingest.service import IngestService
from retrieval.search import KnowledgeSearch
from retrieval.settings import RetrievalSettings
from retrieval.stores.pg_succession import PgEmbedderStore
from retrieval.stores.pgvector import PgVectorStore, Pool
from tests.counting_embedder import documents, drain
from tests.integration.retrieval.conftest import TODAY

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what these packages warn of at import is theirs to mend
    pytest.importorskip("torch", reason="needs the extra `models`: torch is not installed")
    models = pytest.importorskip(
        "sentence_transformers", reason="needs the extra `models`: sentence-transformers"
    )
    import sentence_transformers.models as modules
    import torch
    import transformers

pytestmark = pytest.mark.filterwarnings("ignore")

DIMENSIONS = 48
WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] documento texto parte query passage : 0 1 2 3 . ,".split()
PROMPTS = {"query": "query: ", "document": "passage: "}


def write_model(folder: Path, *, prompts: dict[str, str], seed: int = 7) -> Path:
    """Write a BERT of one layer with mean pooling, and its prompts."""
    torch.manual_seed(seed)
    (folder / "vocabulary").mkdir(parents=True)
    vocabulary = folder / "vocabulary/vocab.txt"
    vocabulary.write_text("\n".join(WORDS), encoding="utf-8")
    bert = transformers.BertModel(
        transformers.BertConfig(
            vocab_size=len(WORDS),
            hidden_size=DIMENSIONS,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
        )
    )
    bert.save_pretrained(folder / "bert")
    transformers.BertTokenizerFast(str(vocabulary)).save_pretrained(folder / "bert")
    transformer = modules.Transformer(str(folder / "bert"), max_seq_length=32)
    pooling = modules.Pooling(DIMENSIONS)
    model = models.SentenceTransformer(modules=[transformer, pooling], prompts=prompts)
    model.save(str(folder / "model"))
    return folder / "model"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny"), prompts=PROMPTS)


@pytest.fixture(scope="module")
def embedder(folder: Path) -> Embedder:
    chosen = choose_embedder(
        RetrievalSettings(
            _env_file=None, embedder="sentence-transformers", embedding_model=str(folder)
        )
    )
    assert chosen is not None
    return chosen


async def test_the_size_is_the_models_and_vectors_are_normalised(embedder: Embedder) -> None:
    rows = await embedder.embed_passages(["texto 1", "documento 2 . 3", "parte"] * 7)
    assert rows.shape == (21, DIMENSIONS)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(21), abs=1e-5)
    assert rows[:3] == pytest.approx(rows[3:6], abs=1e-5)
    assert abs(rows[0] - rows[1]).max() > 0.01


async def test_queries_and_passages_get_the_prompts_of_the_model(
    embedder: Embedder, folder: Path
) -> None:
    plain = models.SentenceTransformer(str(folder), local_files_only=True)
    expected = plain.encode(
        ["query: texto 1", "passage: texto 1"], normalize_embeddings=True, prompt=""
    )
    query = await embedder.embed_query("texto 1")
    (passage,) = await embedder.embed_passages(["texto 1"])
    assert query == pytest.approx(expected[0], abs=1e-5)
    assert passage == pytest.approx(expected[1], abs=1e-5)
    assert abs(query - passage).max() > 0.01


async def test_a_model_without_prompts_embeds_both_alike(tmp_path: Path) -> None:
    model = write_model(tmp_path, prompts={})
    plain = SentenceTransformerEmbedder(str(model), threads=1)
    query = await plain.embed_query("texto 1")
    assert query == pytest.approx((await plain.embed_passages(["texto 1"]))[0], abs=1e-5)


def test_other_weights_are_another_embedder(folder: Path, tmp_path: Path) -> None:
    other = write_model(tmp_path, prompts=PROMPTS, seed=8)
    ids = {SentenceTransformerEmbedder(str(f), threads=1).id for f in (folder, other)}
    assert len({found.rpartition("@")[2] for found in ids}) == 2


async def test_a_folder_that_holds_no_model_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(EmbedderUnavailable):
        await SentenceTransformerEmbedder(str(tmp_path), threads=1).embed_query("x")


async def test_documents_are_embedded_and_found(
    store: PgVectorStore, pool: Pool, embedder: Embedder
) -> None:
    service = IngestService(store, embedder)
    await service.ingest_documents(documents(3), collection="x")
    await drain(service, 10)
    (state,) = await PgEmbedderStore(pool).list_embedders()
    assert (state.id, state.dimensions, state.chunks) == (embedder.id, DIMENSIONS, 12)
    result = await KnowledgeSearch(store, embedder).search(
        "texto del documento",
        kind="knowledge",
        audiences=frozenset({"public"}),
        on=TODAY,
        query_language="es",
    )
    assert (result.mode, len(result.hits)) == ("hybrid", 5)
