"""The index in PostgreSQL: documents, full text and vectors in one database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from retrieval.embed.protocol import Vector
from retrieval.models import Chunk, Document, Hit, Kind, Language, citation_url
from retrieval.stores import (
    pg_documents,
    pg_embedders,
    pg_nearest,
    pg_search,
    pg_statistics,
    pg_vectors,
)
from retrieval.stores.pg_search import vector_text
from retrieval.stores.pg_vectors import KeptVector
from retrieval.stores.protocol import (
    Centre,
    Match,
    Note,
    Origin,
    PendingChunk,
    ReadyVectors,
    SaveOutcome,
    Scope,
    Trait,
)
from retrieval.stores.terms import Term, rarest_within, tsquery, weigh_terms
from retrieval.stores.versions import decide_version
from retrieval.text import printable

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]

#: At most so many chunks are scored. Over 100,000 passages an OR of all words took 32 ms, of the
#: rarest within 2,000 chunks 9.6 ms, within 1,000 7.3 ms (p50 on a busy machine).
_LEXICAL_CAP = 1_000


class PgVectorStore:
    """Implements the document, vector and search protocols over a pool it is given.

    Args:
        pool: autocommit connections that return rows as dicts.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

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
        row = pg_documents.row_of(document, chunks, origin)
        async with self._pool.connection() as conn:
            fresh = await _enrolled(conn, ready)
            async with conn.transaction():
                outcome = await self._save(conn, document, chunks, row=row, fresh=fresh)
                if note is not None:
                    await note(conn, outcome)
        return outcome

    async def _save(
        self,
        conn: AsyncConnection[DictRow],
        document: Document,
        chunks: Sequence[Chunk],
        *,
        row: dict[str, Any],
        fresh: Sequence[KeptVector],
    ) -> SaveOutcome:
        await pg_documents.lock(conn, document.id)
        stored = await pg_documents.newest_version(conn, row)
        outcome, version = decide_version(stored, document.version)
        if outcome != "unchanged":
            await pg_documents.insert_document(conn, row, version)
            kept = await pg_vectors.select_of_document(conn, document.id)
            await pg_documents.delete_chunks(conn, document.id, version)
            await pg_documents.insert_chunks(conn, row, version, chunks)
            await pg_vectors.attach_by_hash(conn, document.id, version, [*kept, *fresh])
        return outcome

    async def withdraw_missing(
        self, collection: str, *, kept_ids: Collection[str], kept_paths: Collection[str]
    ) -> int:
        """Withdraw what a collection no longer holds."""
        async with self._pool.connection() as conn, conn.transaction():
            missing = await pg_documents.list_missing(
                conn, collection, kept_ids=kept_ids, kept_paths=kept_paths
            )
            return await pg_documents.withdraw(conn, missing) if missing else 0

    async def withdraw(self, ids: Collection[str]) -> int:
        """Let documents be found no more; their citations still open."""
        async with self._pool.connection() as conn:
            return await pg_documents.withdraw(conn, ids)

    async def delete(self, ids: Collection[str]) -> int:
        """Remove documents with all versions, chunks and vectors."""
        async with self._pool.connection() as conn:
            return await pg_documents.delete(conn, ids)

    async def refresh_statistics(self) -> None:
        """Bring the count of words in step, for ranking and for typos."""
        async with self._pool.connection() as conn, conn.transaction():
            await pg_statistics.lock(conn)
            await pg_statistics.refresh_words(conn)

    async def get_document(
        self, document_id: str, version: int | None = None, *, on: date
    ) -> Document | None:
        """Return a version of a document, by default the one in force on a day."""
        async with self._pool.connection() as conn:
            return await pg_documents.select_document(conn, document_id, version=version, on=on)

    async def find_document(
        self, kind: Kind, slug: str, language: Language, *, on: date, version: int | None = None
    ) -> Document | None:
        """Return a document by the name it shares with its translations."""
        async with self._pool.connection() as conn:
            return await pg_documents.select_by_slug(
                conn, kind, slug, language=language, version=version, on=on
            )

    async def list_documents(
        self, scope: Scope, *, language: Language | None = None, after: str = "", limit: int = 50
    ) -> list[Document]:
        """Return the documents in force by id, those after a given id."""
        async with self._pool.connection() as conn:
            return await pg_documents.select_page(
                conn, scope, language=language, after=after, limit=limit
            )

    async def claim_pending(self, embedder_id: str, *, limit: int) -> list[PendingChunk]:
        """Take chunks without this embedder's vector; no other worker gets them for a while."""
        async with self._pool.connection() as conn:
            return await pg_vectors.claim(conn, embedder_id, limit=limit)

    async def attach(self, embedder_id: str, vectors: Mapping[int, Vector]) -> None:
        """Store the vectors of claimed chunks."""
        if not vectors:
            return
        async with self._pool.connection() as conn:
            await pg_embedders.enrol(conn, embedder_id, len(next(iter(vectors.values()))))
            await pg_vectors.attach(conn, embedder_id, vectors)

    async def release(self, embedder_id: str, ids: Collection[int]) -> None:
        """Give claimed chunks back."""
        async with self._pool.connection() as conn:
            await pg_vectors.release(conn, embedder_id, ids)

    async def count_pending(self, embedder_id: str, *, claimable_only: bool = False) -> int:
        """Count the chunks without this embedder's vector, or those that nobody works on."""
        async with self._pool.connection() as conn:
            return await pg_vectors.count_pending(conn, embedder_id, claimable_only=claimable_only)

    async def refresh_centres(self, embedder_id: str) -> None:
        """Bring the mean vector of each corpus in step."""
        async with self._pool.connection() as conn, conn.transaction():
            await pg_statistics.lock(conn)
            await pg_statistics.refresh_centres(conn, embedder_id)

    async def search_lexical(
        self, scope: Scope, language: Language, text: str, *, limit: int
    ) -> list[Match]:
        """Find chunks by their words: those with all of them, then those with the rarest."""
        async with self._pool.connection() as conn:
            total, mean = await pg_search.corpus_size(conn, scope.kind, language)
            terms = await self._terms(conn, scope.kind, language, text=printable(text), total=total)
            if not terms:
                return []
            some = rarest_within(terms, _LEXICAL_CAP)
            found: dict[int, Match] = {}
            for part, operator in ((terms, "&"), (some, "|")):
                query = tsquery([t.lexeme for t in part], operator)
                matches = await pg_search.rank_matches(
                    conn,
                    scope,
                    language,
                    terms=terms,
                    query=query,
                    mean_lexemes=mean,
                    cap=_LEXICAL_CAP,
                    limit=limit,
                )
                found.update({m.chunk_id: m for m in matches})
                if len(found) >= limit:
                    break
        return sorted(found.values(), key=lambda m: (-m.score, m.chunk_id))[:limit]

    async def _terms(
        self,
        conn: AsyncConnection[DictRow],
        kind: Kind,
        language: Language,
        *,
        text: str,
        total: int,
    ) -> list[Term]:
        counts = await pg_search.count_lexemes(conn, kind, language, text)
        unknown = [lexeme for lexeme, chunks in counts.items() if not chunks]
        corrections = await pg_search.correct_lexemes(conn, kind, language, unknown)
        return weigh_terms(counts, corrections, total=total)

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
        async with self._pool.connection() as conn:
            found = await pg_nearest.find_nearest(
                conn, scope, language, vector=vector, embedder_id=embedder_id, limit=limit
            )
            rest = set(also) - {m.chunk_id for m in found}
            if rest and found:
                found += await pg_nearest.score_these(
                    conn, scope, language, vector=vector, embedder_id=embedder_id, also=rest
                )
        return found

    async def get_centres(
        self, kind: Kind, vector: Vector, *, embedder_id: str
    ) -> dict[Language, Centre]:
        """Return how near the query is to the mean of each language's chunks."""
        async with self._pool.connection() as conn:
            return await pg_nearest.centres_of(conn, kind, vector=vector, embedder_id=embedder_id)

    async def get_traits(
        self, chunk_ids: Collection[int], *, embedder_id: str | None
    ) -> dict[int, Trait]:
        """Return the section of each chunk and how near it is to the centres."""
        async with self._pool.connection() as conn:
            return await pg_nearest.traits_of(conn, chunk_ids, embedder_id=embedder_id)

    async def get_hits(self, scope: Scope, scores: Mapping[int, float]) -> list[Hit]:
        """Return chunks by id with what their citation needs, in the given order."""
        async with self._pool.connection() as conn:
            rows = await pg_search.fetch_hits(conn, scope, list(scores))
        return [_hit(rows[i], score) for i, score in scores.items() if i in rows]


async def _enrolled(conn: AsyncConnection[DictRow], ready: ReadyVectors) -> list[KeptVector]:
    """Return ready vectors as they are stored; their embedder is known then."""
    if not ready.by_hash:
        return []
    dimensions = len(next(iter(ready.by_hash.values())))
    await pg_embedders.enrol(conn, ready.embedder_id, dimensions)
    return [
        KeptVector(text_hash, ready.embedder_id, vector_text(vector))
        for text_hash, vector in ready.by_hash.items()
    ]


def _hit(row: DictRow, score: float) -> Hit:
    values = dict(row)
    path = tuple(values.pop("headings").split("\n"))
    url = citation_url(
        values["document_id"], values["version"], url=values.pop("url"), anchor=values["anchor"]
    )
    return Hit(heading_path=path, text=values.pop("body"), url=url, score=score, **values)
