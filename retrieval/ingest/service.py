"""Keeps the index in step with documents, and gives its chunks vectors."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from retrieval.embed.cache import VectorCache
from retrieval.embed.protocol import Embedder, Vector
from retrieval.errors import Unreadable
from retrieval.ingest.chunk import chunk_document
from retrieval.ingest.declared import NOTHING, Declared
from retrieval.ingest.folder import SetAside, list_files, read_bytes
from retrieval.ingest.reader import FileReader, Reading
from retrieval.models import Chunk, Document
from retrieval.stores.protocol import (
    DocumentStore,
    Note,
    Origin,
    PendingChunk,
    ReadyVectors,
    SaveOutcome,
    VectorStore,
)


class Store(DocumentStore, VectorStore, Protocol):
    """What ingest needs of a store."""


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """One document or file is done."""

    done: int
    total: int
    name: str
    outcome: str


Report = Callable[[IngestProgress], None]


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """What an ingest did, in documents.

    Args:
        updated: same content and version, other attributes.
        set_aside: files that could not be read; what the index held of them stays.
    """

    added: int
    changed: int
    updated: int
    unchanged: int
    withdrawn: int
    set_aside: tuple[SetAside, ...]


class IngestService:
    """Ingests folders and documents; everything may be repeated and run by several processes.

    Args:
        embedder: None for an index without vectors.
        cache: vectors that exist already, e.g. those shipped with the demo.
    """

    def __init__(
        self,
        store: Store,
        embedder: Embedder | None,
        *,
        cache: VectorCache | None = None,
        chunk_tokens: int = 200,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._cache = cache or VectorCache({})
        self._chunk_tokens = chunk_tokens

    async def ingest_folder(
        self,
        folder: Path,
        report: Report | None = None,
        *,
        collection: str = "knowledge",
        declared: Declared = NOTHING,
    ) -> IngestSummary:
        """Bring a collection in step with a folder: new, changed and vanished files.

        A file that cannot be read is set aside, its document stays as it was, and the rest
        goes on.

        Args:
            declared: what holds where the files say nothing.
        Raises: Unreadable("ingest.folder"): there is no such folder.
        """
        names = await asyncio.to_thread(list_files, folder)
        run = _Run(report, len(names))
        async with self.open_reader() as reader:
            for name in names:
                try:
                    content = await asyncio.to_thread(read_bytes, folder, name)
                    reading = await reader.read(name, content, declared)
                    run.claim(reading.document.id, name)
                except Unreadable as reason:
                    run.put_aside(SetAside(name, reason.safe_message))
                    continue
                await self._save(run, reading, Origin(collection, name))
        paths = [s.path for s in run.set_aside]
        return await self._finish(run, collection=collection, kept_paths=paths)

    def open_reader(self) -> FileReader:
        """Return a reader whose passages are of this index's length."""
        return FileReader(chunk_tokens=self._chunk_tokens)

    async def ingest_documents(
        self,
        documents: Collection[Document],
        report: Report | None = None,
        *,
        collection: str,
        complete: bool = False,
    ) -> IngestSummary:
        """Ingest documents that somebody else has made, courses for one.

        Args:
            complete: these are all; what else the collection holds is withdrawn.
        """
        run = _Run(report, len(documents))
        for document in documents:
            await self._ingest_one(run, document, Origin(collection))
        return await self._finish(run, collection=collection if complete else None)

    async def delete(self, ids: Collection[str]) -> int:
        """Remove documents for good; returns how many versions went."""
        deleted = await self._store.delete(ids)
        await self.refresh()
        return deleted

    async def embed_pending(self, limit: int = 32) -> int:
        """Give up to `limit` chunks their vectors, from the cache or the embedder.

        Returns: how many chunks are left that no other worker has claimed; 0 means stop.
        Raises: EmbedderUnavailable: the chunks are given back.
        """
        if self._embedder is None:
            return 0
        claimed = await self._store.claim_pending(self._embedder.id, limit=limit)
        try:
            vectors = await self._embed(self._embedder, claimed)
        except BaseException:
            await self._store.release(self._embedder.id, [c.id for c in claimed])
            raise
        if claimed:
            await self._store.attach(self._embedder.id, vectors)
        remaining = await self._store.count_pending(self._embedder.id, claimable_only=True)
        if claimed and not remaining:
            await self._store.refresh_centres(self._embedder.id)
        return remaining

    async def pending(self) -> int:
        """Count the chunks without a vector; search finds them by their words meanwhile."""
        return await self._store.count_pending(self._embedder.id) if self._embedder else 0

    async def _ingest_one(self, run: "_Run", document: Document, origin: Origin) -> None:
        try:
            chunks = await asyncio.to_thread(chunk_document, document, limit=self._chunk_tokens)
        except Unreadable as reason:
            run.put_aside(SetAside(origin.path or document.id, reason.safe_message))
            return
        await self._save(run, Reading(document, chunks), origin)

    async def _save(self, run: "_Run", reading: Reading, origin: Origin) -> None:
        run.count(reading.document, await self.store(reading, origin))

    async def store(
        self, reading: Reading, origin: Origin, *, note: Note | None = None
    ) -> SaveOutcome:
        """Store a document that was read, with the vectors that exist already."""
        ready = self._ready(reading.chunks)
        return await self._store.save(
            reading.document, reading.chunks, origin=origin, ready=ready, note=note
        )

    async def withdraw(self, ids: Collection[str]) -> int:
        """Let documents be found no more; returns how many were."""
        return await self._store.withdraw(ids)

    async def refresh(self) -> None:
        """Count words and mean vectors anew, after documents came or went."""
        await self._store.refresh_statistics()
        if self._embedder is not None:
            await self._store.refresh_centres(self._embedder.id)

    def _ready(self, chunks: Iterable[Chunk]) -> ReadyVectors:
        vectors = self._cache.pick(c.text_hash for c in chunks)
        return ReadyVectors(self._embedder.id if self._embedder else "none", vectors)

    async def _embed(
        self, embedder: Embedder, claimed: Collection[PendingChunk]
    ) -> Mapping[int, Vector]:
        cached = self._cache.pick(c.text_hash for c in claimed)
        rest = [c for c in claimed if c.text_hash not in cached]
        rows = await embedder.embed_passages([c.embedding_text for c in rest])
        ready = {c.id: cached[c.text_hash] for c in claimed if c.text_hash in cached}
        return {**ready, **{c.id: row for c, row in zip(rest, rows, strict=True)}}

    async def _finish(
        self, run: "_Run", *, collection: str | None, kept_paths: Collection[str] = ()
    ) -> IngestSummary:
        if collection is not None:
            run.withdrawn = await self._store.withdraw_missing(
                collection, kept_ids=run.ids, kept_paths=kept_paths
            )
        if run.has_changed():
            await self.refresh()
        return run.summary()


class _Run:
    """Counts what happens during one ingest."""

    def __init__(self, report: Report | None, total: int) -> None:
        self._report = report
        self._total = total
        self._done = 0
        self._outcomes: Counter[str] = Counter()
        self.ids: list[str] = []
        self.set_aside: list[SetAside] = []
        self.withdrawn = 0
        self._owners: dict[str, str] = {}

    def claim(self, document_id: str, path: str) -> None:
        owner = self._owners.setdefault(document_id, path)
        if owner != path:
            raise Unreadable("ingest.twice", f"{owner} has the same slug and language.")

    def count(self, document: Document, outcome: SaveOutcome) -> None:
        self.ids.append(document.id)
        self._outcomes[outcome] += 1
        self._tell(document.id, outcome)

    def put_aside(self, found: SetAside) -> None:
        self.set_aside.append(found)
        self._tell(found.path, "set_aside")

    def has_changed(self) -> bool:
        return bool(self.withdrawn or sum(self._outcomes.values()) > self._outcomes["unchanged"])

    def summary(self) -> IngestSummary:
        return IngestSummary(
            added=self._outcomes["added"],
            changed=self._outcomes["changed"],
            updated=self._outcomes["updated"],
            unchanged=self._outcomes["unchanged"],
            withdrawn=self.withdrawn,
            set_aside=tuple(self.set_aside),
        )

    def _tell(self, name: str, outcome: str) -> None:
        self._done += 1
        if self._report:
            self._report(IngestProgress(self._done, self._total, name, outcome))
