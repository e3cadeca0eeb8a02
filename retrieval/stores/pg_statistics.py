"""The SQL that keeps the count of words and the mean vectors of each corpus in step."""

from psycopg import AsyncConnection
from psycopg.rows import DictRow

Connection = AsyncConnection[DictRow]

#: Whoever refreshes statistics or centres holds this advisory lock.
_LOCK = 0x0A1E_5EA6

# A word that no chunk has any more goes; a row is written once in a statement, so never both.
_WORDS = """
    WITH taken AS (DELETE FROM search_word_changes RETURNING kind, language, chunks, lexemes),
    corpora AS (
        INSERT INTO search_corpora AS c (kind, language, chunks, lexemes)
        SELECT kind, language, sum(chunks), sum(chunks * cardinality(lexemes))
          FROM taken GROUP BY kind, language
            ON CONFLICT (kind, language) DO UPDATE
           SET chunks = c.chunks + excluded.chunks, lexemes = c.lexemes + excluded.lexemes),
    changed AS (
        SELECT t.kind, t.language, u.lexeme, sum(t.chunks) AS chunks
          FROM taken t CROSS JOIN unnest(t.lexemes) AS u (lexeme)
         GROUP BY t.kind, t.language, u.lexeme HAVING sum(t.chunks) <> 0),
    counted AS (
        SELECT kind, language, lexeme, coalesce(v.chunks, 0) + c.chunks AS chunks
          FROM changed c LEFT JOIN search_vocabulary v USING (kind, language, lexeme)),
    gone AS (
        DELETE FROM search_vocabulary v USING counted c
         WHERE c.chunks <= 0
           AND (v.kind, v.language, v.lexeme) = (c.kind, c.language, c.lexeme))
    INSERT INTO search_vocabulary (kind, language, lexeme, chunks)
    SELECT kind, language, lexeme, chunks FROM counted WHERE chunks > 0
        ON CONFLICT (kind, language, lexeme) DO UPDATE SET chunks = excluded.chunks
"""

_CENTRES = """
    WITH taken AS (
        DELETE FROM search_vector_changes WHERE embedder = %(embedder)s
        RETURNING kind, language, chunks, total),
    summed AS (
        SELECT kind, language, sum(chunks) AS chunks,
               sum(total) FILTER (WHERE chunks > 0) AS came,
               sum(total) FILTER (WHERE chunks < 0) AS went
          FROM taken GROUP BY kind, language)
    INSERT INTO search_centres AS c (kind, language, embedder, chunks, total)
    SELECT kind, language, %(embedder)s, chunks,
           coalesce(came, went - went) - coalesce(went, came - came)
      FROM summed
        ON CONFLICT (kind, language, embedder) DO UPDATE
       SET chunks = c.chunks + excluded.chunks, total = c.total + excluded.total
"""


async def lock(conn: Connection) -> None:
    """Let one transaction at a time write statistics or centres."""
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


async def refresh_words(conn: Connection) -> None:
    """Add up which words came and went since the last time."""
    await conn.execute(_WORDS)


async def refresh_centres(conn: Connection, embedder_id: str) -> None:
    """Add up which vectors of an embedder came and went since the last time."""
    await conn.execute(_CENTRES, {"embedder": embedder_id})
    await conn.execute(
        "DELETE FROM search_centres WHERE embedder = %s AND chunks <= 0", (embedder_id,)
    )
