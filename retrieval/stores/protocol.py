"""What retrieval needs of a store; each user of a store names only the part it uses."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, Protocol

from retrieval.embed.protocol import Vector
from retrieval.models import Chunk, Document, Hit, Kind, Language

SaveOutcome = Literal["added", "changed", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document came from: what a later ingest of the same collection compares with."""

    collection: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class ReadyVectors:
    """Vectors that exist already, by the hash of the text they stand for."""

    embedder_id: str
    by_hash: Mapping[bytes, Vector]


EmbedderRole = Literal["serving", "filling", "retired"]


@dataclass(frozen=True, slots=True)
class EmbedderState:
    """An embedder that has vectors in the index.

    Args:
        chunks: how many have its vector.
    """

    id: str
    dimensions: int
    state: EmbedderRole
    chunks: int


@dataclass(frozen=True, slots=True)
class PendingChunk:
    """A chunk that waits for its vector."""

    id: int
    text_hash: bytes
    embedding_text: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be searched: the only filter between a reader and a staff document.

    Args:
        on: the reader's day; what is not in force on it is not found.
        topics: None for all.
        slugs: only these documents or courses; None for all.
    """

    kind: Kind
    audiences: frozenset[str]
    on: date
    topics: frozenset[str] | None = None
    slugs: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A chunk found by one way of searching.

    Args:
        score: BM25, or the inner product with the query's vector.
        coverage: lexical only; the share of the query, by rarity of its words, that it holds.
    """

    chunk_id: int
    document_id: str
    slug: str
    language: Language
    score: float
    coverage: float = 0.0


@dataclass(frozen=True, slots=True)
class Centre:
    """The mean vector of a language's chunks, as seen from a query.

    Args:
        products: its inner products with the centre of each language, its own among them.
    """

    chunks: int
    similarity: float
    products: Mapping[Language, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trait:
    """What a chunk is like, whatever the query.

    Args:
        section: the anchor of the heading it stands under.
        products: the inner products of its vector with the centres; empty without a vector.
    """

    section: str
    products: Mapping[Language, float] = field(default_factory=dict)


#: Writes what belongs to a saved document in its transaction; given the store's connection.
Note = Callable[[Any, SaveOutcome], Awaitable[None]]


class DocumentStore(Protocol):
    """Keeps documents and their versions."""

    async def save(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        *,
        origin: Origin,
        ready: ReadyVectors,
        note: Note | None = None,
    ) -> SaveOutcome:
        """Store a document if it is new or differs, with its chunks, in one transaction."""

    async def withdraw(self, ids: Collection[str]) -> int:
        """Let documents be found no more; their citations still open."""

    async def withdraw_missing(
        self, collection: str, *, kept_ids: Collection[str], kept_paths: Collection[str]
    ) -> int:
        """Withdraw what a collection no longer holds."""

    async def delete(self, ids: Collection[str]) -> int:
        """Remove documents with all versions, chunks and vectors."""

    async def refresh_statistics(self) -> None:
        """Bring the count of words in step, for ranking and for typos."""


class DocumentReader(Protocol):
    """Gives documents out as they were written."""

    async def get_document(
        self, document_id: str, version: int | None = None, *, on: date
    ) -> Document | None:
        """Return a version of a document, by default the one in force on a day."""

    async def find_document(
        self, kind: Kind, slug: str, language: Language, *, on: date, version: int | None = None
    ) -> Document | None:
        """Return a document by the name it shares with its translations."""

    async def list_documents(
        self, scope: Scope, *, language: Language | None = None, after: str = "", limit: int = 50
    ) -> list[Document]:
        """Return the documents in force by id, those after a given id."""


class VectorStore(Protocol):
    """Gives chunks out for embedding and takes their vectors."""

    async def claim_pending(self, embedder_id: str, *, limit: int) -> list[PendingChunk]:
        """Take chunks without this embedder's vector; no other worker gets them for a while."""

    async def attach(self, embedder_id: str, vectors: Mapping[int, Vector]) -> None:
        """Store the vectors of claimed chunks."""

    async def release(self, embedder_id: str, ids: Collection[int]) -> None:
        """Give claimed chunks back."""

    async def count_pending(self, embedder_id: str, *, claimable_only: bool = False) -> int:
        """Count the chunks without this embedder's vector, or those that nobody works on."""

    async def refresh_centres(self, embedder_id: str) -> None:
        """Bring the mean vector of each corpus in step."""


class EmbedderStore(Protocol):
    """Knows whose vectors there are, and lets one embedder follow another.

    The first one to store a vector serves at once. Another fills, and takes over when every chunk
    has its vector; the vectors of the one before stay until every process has noticed.
    """

    async def get_serving(self) -> str | None:
        """Return the embedder whose vectors are searched."""

    async def list_embedders(self) -> list[EmbedderState]:
        """Return every embedder that has vectors, the serving one first."""

    async def build_indexes(self, embedder_id: str) -> None:
        """Build what is missing of an embedder's indexes, while searches and ingests go on."""

    async def take_over(self, embedder_id: str) -> bool:
        """Let an embedder serve if every chunk has its vector, and retire all others.

        Returns: whether it serves now.
        """

    async def delete_retired(self, *, for_s: float) -> None:
        """Delete the vectors and indexes of embedders retired for at least so many seconds."""


class SearchStore(Protocol):
    """Finds chunks."""

    async def search_lexical(
        self, scope: Scope, language: Language, text: str, *, limit: int
    ) -> list[Match]:
        """Find chunks by their words, best first."""

    async def search_dense(
        self,
        scope: Scope,
        language: Language,
        vector: Vector,
        *,
        embedder_id: str,
        also: Collection[int],
        limit: int,
    ) -> list[Match]:
        """Find the nearest chunks, and score the ones in `also` that have a vector."""

    async def get_centres(
        self, kind: Kind, vector: Vector, *, embedder_id: str
    ) -> dict[Language, Centre]:
        """Return how near the query is to the mean of each language's chunks."""

    async def get_traits(
        self, chunk_ids: Collection[int], *, embedder_id: str | None
    ) -> dict[int, Trait]:
        """Return what chunks are like; always from where the truth is kept.

        Args:
            embedder_id: None if no vectors take part.
        """

    async def get_hits(self, scope: Scope, scores: Mapping[int, float]) -> list[Hit]:
        """Return chunks by id with what their citation needs and their neighbours, in order."""
