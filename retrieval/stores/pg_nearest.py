"""The SQL of nearest vectors: exact among few, by the graph of an index among many."""

from collections.abc import Collection

from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow

from retrieval.embed.protocol import Vector
from retrieval.models import Kind, Language
from retrieval.stores.pg_search import IN_SCOPE, scope_values, vector_text
from retrieval.stores.protocol import Centre, Match, Scope

Connection = AsyncConnection[DictRow]

#: Among so many chunks of a language all are compared.
_EXACT_UP_TO = 4_000

_COUNT = f"""
    SELECT count(*) AS chunks FROM (
        SELECT 1 FROM search_chunks
         WHERE language = %(language)s AND {IN_SCOPE} LIMIT %(most)s) AS found
"""  # noqa: S608 (constants)

_EXACT = f"""
    WITH few AS MATERIALIZED (
        SELECT id, document_id, slug FROM search_chunks
         WHERE language = %(language)s AND {IN_SCOPE} LIMIT %(most)s)
    SELECT f.id, f.document_id, f.slug, v.embedding <#> %(vector)s::halfvec AS distance
      FROM few f JOIN search_vectors v ON v.chunk_id = f.id AND v.embedder = %(embedder)s
     ORDER BY distance LIMIT %(limit)s
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
    counted = await (await conn.execute(_COUNT, values)).fetchone()
    if counted is None or counted["chunks"] <= _EXACT_UP_TO:
        rows = await (await conn.execute(_EXACT, values)).fetchall()
    else:
        async with conn.transaction():
            await conn.execute(_WALK, (str(2 * limit),))
            rows = await (
                await conn.execute(_by_index(embedder_id, language, len(vector)), values)
            ).fetchall()
    return [_match(row, language) for row in rows]


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
    rows = await (await conn.execute(_THESE, values)).fetchall()
    return [_match(row, language) for row in rows]


def _match(row: DictRow, language: Language) -> Match:
    return Match(row["id"], row["document_id"], row["slug"], language, -row["distance"])


async def centres_of(
    conn: Connection, kind: Kind, *, vector: Vector, embedder_id: str
) -> dict[Language, Centre]:
    """Return how near a vector is to the mean of each language's chunks."""
    rows = await conn.execute(
        "SELECT language, chunks, -(centre <#> %s::halfvec) AS similarity"
        " FROM search_centres WHERE kind = %s AND embedder = %s",
        (vector_text(vector), kind, embedder_id),
    )
    return {r["language"]: Centre(r["chunks"], r["similarity"]) for r in await rows.fetchall()}
