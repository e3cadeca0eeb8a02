"""Ready-made vectors in a small file: name of the text → half-precision vector."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.embed.protocol import Vector

HalfVector = NDArray[np.float16]

_HASH_BYTES = 32


def _row_of(dimensions: int) -> np.dtype[np.void]:
    return np.dtype([("hash", np.uint8, (_HASH_BYTES,)), ("vector", "<f2", (dimensions,))])


def _is_ours(found: np.dtype[np.void]) -> bool:
    if found.names != ("hash", "vector") or len(shape := tuple(found["vector"].shape)) != 1:
        return False
    return found == _row_of(shape[0])


class VectorCache:
    """Vectors of one embedder by the hash of the text; read-only."""

    def __init__(self, vectors: Mapping[bytes, HalfVector]) -> None:
        self._vectors = dict(vectors)

    def get(self, text_hash: bytes) -> HalfVector | None:
        """Return the vector of a text, if it is here."""
        return self._vectors.get(text_hash)

    def pick(self, text_hashes: Iterable[bytes]) -> dict[bytes, Vector]:
        """Return the vectors that are here, in full precision."""
        found = {h: self._vectors[h] for h in text_hashes if h in self._vectors}
        return {h: v.astype(np.float32) for h, v in found.items()}

    def missing(self, text_hashes: Iterable[bytes]) -> list[bytes]:
        """Return the hashes that have no vector here."""
        return [h for h in text_hashes if h not in self._vectors]

    def __len__(self) -> int:
        return len(self._vectors)


def cache_file(folder: Path, embedder_id: str) -> Path:
    """Return the file that holds an embedder's vectors."""
    return folder / f"{re.sub(r'[^A-Za-z0-9._]+', '-', embedder_id)}.npy"


def load_vector_cache(folder: Path | None, embedder_id: str) -> VectorCache:
    """Read an embedder's vectors, of whatever size; without a folder or a file there are none."""
    if folder is None or not (path := cache_file(folder, embedder_id)).is_file():
        return VectorCache({})
    rows = np.load(path, allow_pickle=False)
    if not _is_ours(rows.dtype):
        return VectorCache({})
    return VectorCache({row["hash"].tobytes(): row["vector"] for row in rows})


def save_vector_cache(folder: Path, embedder_id: str, vectors: Mapping[bytes, HalfVector]) -> Path:
    """Write an embedder's vectors, sorted: the same vectors give the same bytes."""
    dimensions = len(next(iter(vectors.values()))) if vectors else 0
    rows = np.zeros(len(vectors), dtype=_row_of(dimensions))
    for row, text_hash in zip(rows, sorted(vectors), strict=True):
        row["hash"] = np.frombuffer(text_hash, np.uint8)
        row["vector"] = vectors[text_hash]
    path = cache_file(folder, embedder_id)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(path, rows, allow_pickle=False)
    return path
