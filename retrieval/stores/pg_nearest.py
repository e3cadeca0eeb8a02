"""The SQL of nearest vectors: exact among few, by the graph of an index among many."""

from collections.abc import Collection
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow

from retrieval.embed.protocol import Vector
from retrieval.models import Kind, Language
from retrieval.stores.pg_search import IN_SCOPE, scope_values, vector_text
from retrieval.stores.protocol import Centre, Match, Scope, Trait

Connection = AsyncConnection[DictRow]

#: Among so many chunks of a language all are compared. Of 50,000 passages a filter of a tenth let
#: the index find .94 of the ten nearest in 27 ms of the server's processor, a fifth .99 in 15 ms;
#: comparing that fifth, 9,500, found all in 15 ms (python -m evals.bench retrieval).
_EXACT_UP_TO = 10_000
#: So many chunks the index looks at, more where more than a quarter of them are asked for: of
#: 50,000 passages without a filter 200 find .94 of the ten nearest, 400 .995 and take 2 ms longer.
_CANDIDATES = 400
_CANDIDATES_A_HIT = 4
_MOST_CANDIDATES = 1_000  # the server allows no more

_COUNT = f"""
    SELECT count(*) AS chunks FROM (
        SELECT 1 FROM search_chunks
         WHERE language = %(language)s AND {IN_SCOPE} LIMIT %(most)s) AS found
"""  # noqa: S608 (constants)

_EXACT = f"""
    WITH nearest AS MATERIALIZED (
        SELECT v.chunk_id, v.embedding <#> %(vector)s::halfvec AS distance
          FROM search_vectors v
         WHERE v.embedder = %(embedder)s AND v.chunk_id = ANY (ARRAY (
               SELECT id FROM search_chunks
                WHERE language = %(language)s AND {IN_SCOPE} LIMIT %(most)s))
         ORDER BY distance LIMIT %(limit)s)
    SELECT c.id, c.document_id, c.slug, n.distance
      FROM nearest n JOIN search_chunks c ON c.id = n.chunk_id
     ORDER BY n.distance, c.id
"""  # noqa: S608 (constants)

# Embedder, language and size are part of the text: only so does a plan see the partial index.
_BY_INDEX = f"""
    SELECT c.id, c.document_id, c.slug,
           v.embedding::halfvec({{dimensions}}) <#> %(vector)s::halfvec({{dimensions}}) AS distance
      FROM search_vectors v
      JOIN (SELECT id, document_id, slug FROM search_chunks WHERE {IN_SCOPE}) c
        ON c.id = v.chunk_id
     WHERE v.embedder = {{embedder}} AND v.language = {{language}}
     ORDER BY v.embedding::halfvec({{dimensions}}) <#> %(vector)s::halfvec({{dimensions}})
     LIMIT %(limit)s
"""  # noqa: S608 (constants)

_THESE = f"""
    SELECT c.id, c.document_id, c.slug, v.embedding <#> %(vector)s::halfvec AS distance
      FROM search_vectors v
      JOIN (SELECT id, document_id, slug FROM search_chunks
             WHERE id = ANY (%(also)s) AND language = %(language)s AND {IN_SCOPE}) c
        ON c.id = v.chunk_id
     WHERE v.embedder = %(embedder)s
"""  # noqa: S608 (constants)

# The graph is walked on until enough is found that the filter lets through. The other settings
# leave the planner no way but the one that reads the index in its order: it knows neither how many
# rows a prepared statement will ask for nor what a filter lets through.
_WALK = """
    SELECT set_config('hnsw.ef_search', %s, true),
           set_config('hnsw.iterative_scan', 'strict_order', true),
           set_config('enable_sort', 'off', true),
           set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true)
"""


_CENTRES = """
    SELECT c.language, c.chunks, -(c.total <#> %(vector)s::vector) / c.chunks AS similarity,
           (SELECT jsonb_object_agg(
                       o.language, -(c.total <#> o.total) / (c.chunks::float8 * o.chunks))
              FROM search_centres o
             WHERE o.kind = c.kind AND o.embedder = c.embedder AND o.chunks > 0) AS products
      FROM search_centres c
     WHERE c.kind = %(kind)s AND c.embedder = %(embedder)s AND c.chunks > 0
"""

_TRAITS = """
    SELECT c.id, c.anchor,
           (SELECT jsonb_object_agg(o.language, -(v.embedding::vector <#> o.total) / o.chunks)
              FROM search_vectors v
              JOIN search_centres o ON o.embedder = v.embedder
             WHERE v.chunk_id = c.id AND v.embedder = %(embedder)s
               AND o.kind = c.kind AND o.chunks > 0) AS products
      FROM search_chunks c WHERE c.id = ANY (%(ids)s)
"""


async def find_nearest(
    conn: Connection,
    scope: Scope,
    language: Language,
    *,
    vector: Vector,
    embedder_id: str,
    limit: int,
) -> list[Match]:
    """Return the chunks nearest to a vector with their inner product, best first."""
    values = {
        **scope_values(scope),
        "language": language,
        "embedder": embedder_id,
        "vector": vector_text(vector),
        "limit": limit,
        "most": _EXACT_UP_TO + 1,
    }
    (counted,) = await _fetch(conn, _COUNT, values)
    if counted["chunks"] <= _EXACT_UP_TO:
        rows = await _fetch(conn, _EXACT, values)
    else:
        async with conn.transaction():
            candidates = min(max(_CANDIDATES, _CANDIDATES_A_HIT * limit), _MOST_CANDIDATES)
            await conn.execute(_WALK, (str(candidates),))
            rows = await _fetch(conn, _by_index(embedder_id, language, len(vector)), values)
    return [_match(row, language) for row in rows]


async def _fetch(
    conn: Connection, query: str | sql.Composed, values: dict[str, Any]
) -> list[DictRow]:
    """Run a query that is planned for its values, each time: half a millisecond.

    A prepared statement's plan for any values at all compared 200 chunks in 95 ms instead of 4.
    """
    return await (await conn.execute(query, values, prepare=False)).fetchall()


def _by_index(embedder_id: str, language: Language, dimensions: int) -> sql.Composed:
    return sql.SQL(_BY_INDEX).format(
        dimensions=sql.Literal(dimensions),
        embedder=sql.Literal(embedder_id),
        language=sql.Literal(language),
    )


async def score_these(
    conn: Connection,
    scope: Scope,
    language: Language,
    *,
    vector: Vector,
    embedder_id: str,
    also: Collection[int],
) -> list[Match]:
    """Return the inner product of given chunks, of those that have a vector."""
    values = {
        **scope_values(scope),
        "language": language,
        "embedder": embedder_id,
        "vector": vector_text(vector),
        "also": list(also),
    }
    rows = await _fetch(conn, _THESE, values)
    return [_match(row, language) for row in rows]


def _match(row: DictRow, language: Language) -> Match:
    return Match(row["id"], row["document_id"], row["slug"], language, -row["distance"])


async def centres_of(
    conn: Connection, kind: Kind, *, vector: Vector, embedder_id: str
) -> dict[Language, Centre]:
    """Return how near a vector is to the mean of each language's chunks."""
    values = {"vector": vector_text(vector), "kind": kind, "embedder": embedder_id}
    rows = await (await conn.execute(_CENTRES, values)).fetchall()
    return {r["language"]: Centre(r["chunks"], r["similarity"], r["products"]) for r in rows}


async def traits_of(
    conn: Connection, chunk_ids: Collection[int], *, embedder_id: str | None
) -> dict[int, Trait]:
    """Return the section of each chunk and how near it is to the centres."""
    values = {"ids": list(chunk_ids), "embedder": embedder_id}
    rows = await (await conn.execute(_TRAITS, values)).fetchall()
    return {r["id"]: Trait(r["anchor"], r["products"] or {}) for r in rows}
