"""Keeps vectors between runs: embedding a corpus takes minutes, and it does not change."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.embed.cache import HalfVector, VectorCache
from retrieval.embed.protocol import Embedder, Matrix, Vector
from retrieval.models import hash_text

_QUERY = "query: "
_HASH_BYTES = 32


class KeptVectors:
    """An embedder that never embeds a text twice.

    Args:
        folder: where its vectors are kept, by the hash of the text.
        ready: passages that exist already elsewhere.
    """

    def __init__(self, embedder: Embedder, folder: Path, *, ready: VectorCache) -> None:
        self._embedder = embedder
        self._file = folder / f"{embedder.id.replace('@', '-')}.npz"
        self._ready = ready
        self._known = _read(self._file)
        self._stored = len(self._known)

    @property
    def id(self) -> str:
        """Name and version of the embedder."""
        return self._embedder.id

    async def embed_query(self, text: str) -> Vector:
        """Embed what somebody asks."""
        name = hash_text(_QUERY + text)
        if name not in self._known:
            self._known[name] = (await self._embedder.embed_query(text)).astype(np.float16)
        return self._known[name].astype(np.float32)

    async def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Embed what is searched, one row a text."""
        names = [hash_text(text) for text in texts]
        self._known.update({n: v for n in names if (v := self._ready.get(n)) is not None})
        missing = [t for t, name in zip(texts, names, strict=True) if name not in self._known]
        rows = await self._embedder.embed_passages(missing)
        self._known.update(zip(map(hash_text, missing), rows.astype(np.float16), strict=True))
        return np.stack([self._known[name] for name in names]).astype(np.float32)

    def save(self) -> None:
        """Write what is new."""
        if len(self._known) > self._stored:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            names = np.frombuffer(b"".join(self._known), np.uint8).reshape(-1, _HASH_BYTES)
            np.savez(self._file, names=names, vectors=np.stack(list(self._known.values())))
            self._stored = len(self._known)


def _read(path: Path) -> dict[bytes, HalfVector]:
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as stored:
        names = [name.tobytes() for name in stored["names"]]
        return dict(zip(names, stored["vectors"], strict=True))
