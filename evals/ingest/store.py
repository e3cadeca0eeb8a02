"""The SQL of the trial: an empty index, and what stands in it at the end."""

import hashlib

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


async def open_pool(url: str) -> Pool:
    """Open connections as the stores want them."""
    pool: Pool = AsyncConnectionPool(
        url,
        min_size=1,
        max_size=3,
        connection_class=AsyncConnection[DictRow],
        kwargs={"autocommit": True, "row_factory": dict_row},
        open=False,
    )
    await pool.open()
    return pool


async def clear(url: str) -> None:
    """Empty the index."""
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        await conn.execute("TRUNCATE search_documents, search_chunks, ingest_jobs CASCADE")


async def fingerprint(pool: Pool) -> tuple[str, int, int]:
    """Return a digest of all passages, their number, and how many have a vector."""
    digest, count = hashlib.sha256(), 0
    async with (
        pool.connection() as conn,
        conn.transaction(),
        conn.cursor(name="passages") as cursor,
    ):
        await cursor.execute(
            "SELECT document_id, version, ordinal, anchor, headings, body, tokens, text_hash"
            " FROM search_chunks ORDER BY document_id, version, ordinal"
        )
        async for row in cursor:
            digest.update(repr(tuple(row.values())).encode())
            count += 1
        vectors = await (await conn.execute("SELECT count(*) AS n FROM search_vectors")).fetchone()
    return digest.hexdigest(), count, int(vectors["n"]) if vectors else 0
