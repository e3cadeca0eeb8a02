"""An embedder that counts what it embeds, and documents for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import numpy as np

from retrieval.embed.protocol import Matrix, Vector
from retrieval.errors import EmbedderUnavailable
from retrieval.ingest.service import IngestService
from retrieval.models import Document


class Counting:
    """An embedder that remembers what it embedded and can be told to fail."""

    def __init__(self, name: str = "counting@1", *, dimensions: int = 384) -> None:
        self.id = name
        self.dimensions = dimensions
        self.texts: Counter[str] = Counter()
        self.fails = False

    async def embed_query(self, text: str) -> Vector:
        return (await self.embed_passages([text]))[0]

    async def embed_passages(self, texts: Sequence[str]) -> Matrix:
        await asyncio.sleep(0)
        if self.fails:
            raise EmbedderUnavailable("embed.unavailable", "told to fail")
        self.texts.update(texts)
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[len(text) % self.dimensions] = 1
        return rows

    async def aclose(self) -> None:
        self.closed = True


def documents(count: int) -> list[Document]:
    return [
        Document(
            id=f"kb:doc-{n}:es",
            kind="knowledge",
            slug=f"doc-{n}",
            language="es",
            title=f"Documento {n}",
            body="\n\n".join(f"## Parte {p}\n\nTexto {n} {p}." for p in range(4)),
        )
        for n in range(count)
    ]


async def drain(service: IngestService, limit: int) -> None:
    while await service.embed_pending(limit):
        pass
