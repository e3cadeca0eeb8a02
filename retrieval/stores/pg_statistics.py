"""The SQL that counts the words of each corpus."""

from psycopg import AsyncConnection
from psycopg.rows import DictRow

Connection = AsyncConnection[DictRow]

#: Whoever refreshes statistics or centres holds this advisory lock.
_LOCK = 0x0A1E_5EA6

_CORPORA = """
    INSERT INTO search_corpora (kind, language, chunks, mean_lexemes)
    SELECT kind, language, count(*), avg(length(lexemes))
      FROM search_chunks GROUP BY kind, language
"""

_VOCABULARY = """
    INSERT INTO search_vocabulary (kind, language, lexeme, chunks)
    SELECT c.kind, c.language, s.word, s.ndoc
      FROM search_corpora c
     CROSS JOIN LATERAL ts_stat(format(
            'SELECT lexemes FROM public.search_chunks WHERE kind = %%L AND language = %%L',
            c.kind, c.language)) AS s
"""


async def lock(conn: Connection) -> None:
    """Let one transaction at a time write statistics or centres."""
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


async def refresh(conn: Connection) -> None:
    """Count anew; searches see the old counts until the transaction commits."""
    await conn.execute("DELETE FROM search_vocabulary")
    await conn.execute("DELETE FROM search_corpora")
    await conn.execute(_CORPORA)
    await conn.execute(_VOCABULARY, {})
