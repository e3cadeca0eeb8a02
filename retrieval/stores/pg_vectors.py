"""The SQL of embedding: claims, vectors and mean vectors."""

from collections.abc import Collection, Mapping

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from retrieval.embed.protocol import Vector
from retrieval.models import embedding_text
from retrieval.stores.pg_search import vector_text
from retrieval.stores.protocol import PendingChunk

Connection = AsyncConnection[DictRow]

#: A claim outlives the slowest batch by far: 32 passages take about 7 s on two loaded cores.
_CLAIM_S = 300

_CLAIM = """
    UPDATE search_chunks SET claimed_until = now() + make_interval(secs => %s)
     WHERE id IN (SELECT id FROM search_chunks
                   WHERE embedding IS NULL AND (claimed_until IS NULL OR claimed_until < now())
                   ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING id, text_hash, headings, body
"""

_ATTACH = """
    UPDATE search_chunks c
       SET embedding = v.embedding::halfvec(384), embedder = %s, claimed_until = NULL
      FROM unnest(%s::bigint[], %s::text[]) AS v (id, embedding)
     WHERE c.id = v.id
"""

# Means of other embedders tell that vectors of theirs are still there.
_FORGET_OTHERS = """
    WITH others AS (DELETE FROM search_centres WHERE embedder <> %(embedder)s RETURNING embedder)
    UPDATE search_chunks SET embedding = NULL, embedder = NULL
     WHERE embedder IN (SELECT embedder FROM others) AND embedding IS NOT NULL
"""

_REFRESH_CENTRES = """
    WITH fresh AS (
        SELECT kind, language, embedder, count(*) AS chunks, avg(embedding) AS centre
          FROM search_chunks WHERE embedder = %(embedder)s
         GROUP BY kind, language, embedder),
    gone AS (
        DELETE FROM search_centres c WHERE embedder = %(embedder)s AND NOT EXISTS (
            SELECT 1 FROM fresh f WHERE f.kind = c.kind AND f.language = c.language))
    INSERT INTO search_centres (kind, language, embedder, chunks, centre)
    SELECT kind, language, embedder, chunks, centre FROM fresh
        ON CONFLICT (kind, language, embedder)
        DO UPDATE SET chunks = excluded.chunks, centre = excluded.centre
"""


async def claim(conn: Connection, *, limit: int) -> list[PendingChunk]:
    """Take chunks without a vector that nobody works on."""
    rows = await (await conn.execute(_CLAIM, (_CLAIM_S, limit))).fetchall()
    return [
        PendingChunk(
            r["id"], r["text_hash"], embedding_text(tuple(r["headings"].split("\n")), r["body"])
        )
        for r in rows
    ]


async def attach(conn: Connection, embedder_id: str, vectors: Mapping[int, Vector]) -> None:
    """Store vectors by chunk; a chunk that is gone meanwhile is left out."""
    texts = [vector_text(v) for v in vectors.values()]
    await conn.execute(_ATTACH, (embedder_id, list(vectors), texts))


async def release(conn: Connection, ids: Collection[int]) -> None:
    """Give claims back."""
    await conn.execute(
        "UPDATE search_chunks SET claimed_until = NULL WHERE id = ANY (%s)", (list(ids),)
    )


async def count_pending(conn: Connection, *, claimable_only: bool) -> int:
    """Count the chunks without a vector."""
    row = await (
        await conn.execute(
            "SELECT count(*) AS n FROM search_chunks WHERE embedding IS NULL"
            " AND (NOT %s OR claimed_until IS NULL OR claimed_until < now())",
            (claimable_only,),
        )
    ).fetchone()
    return int(row["n"]) if row else 0


async def forget_other_embedders(conn: Connection, embedder_id: str) -> None:
    """Drop the vectors of an embedder that is no longer the one in use."""
    await conn.execute(_FORGET_OTHERS, {"embedder": embedder_id})


async def refresh_centres(conn: Connection, embedder_id: str) -> None:
    """Compute the mean vector of each corpus anew."""
    await conn.execute(_REFRESH_CENTRES, {"embedder": embedder_id})
