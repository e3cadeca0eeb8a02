"""Any sentence-transformers model, from a local folder or by its name."""

import hashlib
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.embed.protocol import LocalEmbedder, Matrix

#: Of a large file so much from its beginning and its end names it, beside its size.
_READ_BYTES = 1 << 20


class SentenceTransformerEmbedder(LocalEmbedder):
    """A model of the `sentence-transformers` package (the extra `models`).

    Where the model defines prompts for queries and for documents, they are used.

    Args:
        model: a folder, or a name of the Hugging Face Hub, which is downloaded at the first use;
            `name@revision` pins it.
    """

    name = "sentence-transformers"
    package = "sentence-transformers"
    batch = 16

    def __init__(self, model: str, *, threads: int) -> None:
        super().__init__(threads=threads)
        self._source = model

    @cached_property
    def id(self) -> str:
        """The model with what tells its versions apart: a folder's content, or the revision."""
        folder = Path(self._source)
        if folder.is_dir():
            return f"{self.name}/{folder.resolve()}@{folder_digest(folder)}"
        model, _, revision = self._source.partition("@")
        return f"{self.name}/{model}@{revision or version(self.package)}"

    def _load(self) -> Any:
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(self._threads)
        if Path(self._source).is_dir():
            return SentenceTransformer(self._source, local_files_only=True)
        model, _, revision = self._source.partition("@")
        return SentenceTransformer(model, revision=revision or None)

    def _encode(self, model: Any, texts: list[str], *, is_query: bool) -> Matrix:
        encode = model.encode_query if is_query else model.encode_document
        rows = encode(
            texts,
            batch_size=self.batch,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(rows, dtype=np.float32)


def folder_digest(folder: Path) -> str:
    """Return what names the files of a folder: another model there is another name."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()} {size}\n".encode())
        with path.open("rb") as file:
            digest.update(file.read(_READ_BYTES))
            file.seek(max(0, size - _READ_BYTES))
            digest.update(file.read(_READ_BYTES))
    return digest.hexdigest()[:12]
