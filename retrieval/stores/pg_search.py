"""The SQL of searching: full text scored as BM25, and what a hit shows."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from retrieval.embed.protocol import Vector
from retrieval.models import Kind, Language
from retrieval.stores.protocol import Match, Scope
from retrieval.stores.terms import (
    LENGTH_WEIGHT,
    MIN_SIMILARITY,
    MIN_TYPO_CHARS,
    TERM_SATURATION,
    Correction,
    Term,
    tsquery,
)

Connection = AsyncConnection[DictRow]

#: What a reader may see; `scope_values` gives its parameters.
IN_SCOPE = """
    kind = %(kind)s AND audience = ANY (%(audiences)s)
    AND (valid_from IS NULL OR valid_from <= %(on)s) AND (valid_to IS NULL OR valid_to > %(on)s)
    AND (%(topics)s::text[] IS NULL OR topic = ANY (%(topics)s))
    AND (%(slugs)s::text[] IS NULL OR slug = ANY (%(slugs)s))
"""

_COUNT_LEXEMES = """
    SELECT q.lexeme, coalesce(v.chunks, 0) AS chunks
      FROM unnest(tsvector_to_array(search_vector(%(language)s, %(text)s))) AS q (lexeme)
      LEFT JOIN search_vocabulary v
             ON v.kind = %(kind)s AND v.language = %(language)s AND v.lexeme = q.lexeme
"""

_CORRECT = """
    SELECT typed.lexeme AS typed, meant.*
      FROM unnest(%(unknown)s::text[]) AS typed (lexeme)
     CROSS JOIN LATERAL (
            SELECT v.lexeme, v.chunks, similarity(v.lexeme, typed.lexeme) AS similarity
              FROM search_vocabulary v
             WHERE v.kind = %(kind)s AND v.language = %(language)s AND v.lexeme %% typed.lexeme
             ORDER BY similarity DESC, v.chunks DESC, v.lexeme
             LIMIT 1) AS meant
     WHERE meant.similarity >= %(least)s
"""

# Reading all lexemes of a chunk is dear, asking it for one is cheap: the sum of the weights decides
# which chunks are worth the exact score.
_RANK = f"""
    WITH terms AS (
        SELECT * FROM unnest(%(lexemes)s::text[], %(weights)s::float8[], %(shares)s::float8[],
                             %(queries)s::tsquery[]) AS t (lexeme, weight, share, query)),
    matched AS MATERIALIZED (
        SELECT id, document_id, slug, lexemes
          FROM search_chunks
         WHERE lexemes @@ %(query)s::tsquery
           AND language = %(language)s AND {IN_SCOPE}
         LIMIT %(cap)s),
    promising AS MATERIALIZED (
        SELECT m.*, length(m.lexemes) / %(mean)s::float8 AS length
          FROM matched m
         ORDER BY (SELECT sum(t.weight) FROM terms t WHERE m.lexemes @@ t.query) DESC, m.id
         LIMIT 2 * %(limit)s)
    SELECT m.id, m.document_id, m.slug, sum(t.share) AS coverage,
           sum(t.weight * cardinality(u.positions) * (%(k)s + 1)
               / (cardinality(u.positions) + %(k)s * (1 - %(b)s + %(b)s * m.length))) AS score
      FROM promising m
     CROSS JOIN LATERAL unnest(m.lexemes) AS u
      JOIN terms t ON t.lexeme = u.lexeme
     GROUP BY m.id, m.document_id, m.slug
     ORDER BY score DESC, m.id
     LIMIT %(limit)s
"""  # noqa: S608

_HITS = f"""
    WITH c AS (SELECT * FROM search_chunks WHERE id = ANY (%(ids)s) AND {IN_SCOPE})
    SELECT c.id AS chunk_id, c.document_id, c.version, c.kind, c.slug, c.language, c.audience,
           c.topic, d.title, c.anchor, c.headings, c.body, d.url, d.valid_from, d.metadata,
           coalesce(b.body, '') AS before, coalesce(a.body, '') AS after
      FROM c JOIN search_documents d ON d.id = c.document_id AND d.version = c.version
      LEFT JOIN search_chunks b ON b.document_id = c.document_id AND b.version = c.version
       AND b.ordinal = c.ordinal - 1 AND b.headings = c.headings AND b.anchor = c.anchor
      LEFT JOIN search_chunks a ON a.document_id = c.document_id AND a.version = c.version
       AND a.ordinal = c.ordinal + 1 AND a.headings = c.headings AND a.anchor = c.anchor
"""  # noqa: S608


async def count_lexemes(
    conn: Connection, kind: Kind, language: Language, text: str
) -> dict[str, int]:
    """Return the lexemes of a query and in how many chunks each occurs."""
    rows = await conn.execute(_COUNT_LEXEMES, {"kind": kind, "language": language, "text": text})
    return {r["lexeme"]: r["chunks"] for r in await rows.fetchall()}


async def correct_lexemes(
    conn: Connection, kind: Kind, language: Language, unknown: Sequence[str]
) -> dict[str, Correction]:
    """Return for unknown lexemes the most similar one of the corpus."""
    typed = [x for x in unknown if len(x) >= MIN_TYPO_CHARS]
    if not typed:
        return {}
    values = {"kind": kind, "language": language, "unknown": typed, "least": MIN_SIMILARITY}
    rows = await (await conn.execute(_CORRECT, values)).fetchall()
    return {r["typed"]: Correction(r["lexeme"], r["chunks"], r["similarity"]) for r in rows}


async def corpus_size(conn: Connection, kind: Kind, language: Language) -> tuple[int, float]:
    """Return how many chunks a corpus has and how many lexemes each has on average."""
    row = await (
        await conn.execute(
            "SELECT chunks, mean_lexemes FROM search_corpora WHERE kind = %s AND language = %s",
            (kind, language),
        )
    ).fetchone()
    return (row["chunks"], row["mean_lexemes"]) if row else (0, 1.0)


async def rank_matches(
    conn: Connection,
    scope: Scope,
    language: Language,
    *,
    terms: Sequence[Term],
    query: str,
    mean_lexemes: float,
    cap: int,
    limit: int,
) -> list[Match]:
    """Score the chunks that match a tsquery as BM25 does, best first.

    Args:
        cap: at most so many matching chunks are looked at.
    """
    values: dict[str, Any] = {
        **scope_values(scope),
        "language": language,
        "lexemes": [t.lexeme for t in terms],
        "weights": [t.weight for t in terms],
        "shares": [t.share for t in terms],
        "queries": [tsquery([t.lexeme], "&") for t in terms],
        "query": query,
        "mean": max(mean_lexemes, 1.0),
        "k": TERM_SATURATION,
        "b": LENGTH_WEIGHT,
        "cap": cap,
        "limit": limit,
    }
    # Planned for these values: how rare the words are and what the filter lets through decides.
    rows = await (await conn.execute(_RANK, values, prepare=False)).fetchall()
    return [
        Match(r["id"], r["document_id"], r["slug"], language, r["score"], r["coverage"])
        for r in rows
    ]


async def fetch_hits(conn: Connection, scope: Scope, ids: Sequence[int]) -> Mapping[int, DictRow]:
    """Return chunks with their document's attributes, by id."""
    rows = await conn.execute(_HITS, {**scope_values(scope), "ids": list(ids)})
    return {r["chunk_id"]: r for r in await rows.fetchall()}


def vector_text(vector: Vector) -> str:
    """Write a vector as pgvector reads it."""
    return f"[{','.join(f'{x:.6g}' for x in vector)}]"


def scope_values(scope: Scope) -> dict[str, Any]:
    """Return the parameters of `IN_SCOPE`."""
    return {
        "kind": scope.kind,
        "audiences": sorted(scope.audiences),
        "on": scope.on,
        "topics": None if scope.topics is None else sorted(scope.topics),
        "slugs": None if scope.slugs is None else sorted(scope.slugs),
    }
