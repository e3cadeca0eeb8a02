"""The SQL of embedders: whose vectors there are, which of them serves, and their indexes."""

import hashlib
import re
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow

from retrieval.errors import EmbedderUnavailable
from retrieval.models import LANGUAGES, Language
from retrieval.stores.protocol import EmbedderState

Connection = AsyncConnection[DictRow]

#: Whoever changes which embedder serves holds this advisory lock; another, whoever builds indexes.
_LOCK = 0x0A1E_E3BE
_BUILD_LOCK = 0x0A1E_E3BF
_DELETE_BATCH = 5_000
_NAME_CHARS = 24
#: Looked at for each vector while the graph is built. Over 50,000 passages a query that looks at
#: 400 finds .993 of the ten nearest with 128 and .975 with 64; the build takes 1.6 times as long.
_CONSTRUCTION_NEIGHBOURS = 128

_ENROL = """
    INSERT INTO search_embedders (id, dimensions, state)
    SELECT %(id)s, %(dimensions)s,
           CASE WHEN EXISTS (SELECT 1 FROM search_embedders WHERE state = 'serving')
                THEN 'filling' ELSE 'serving' END
        ON CONFLICT (id) DO UPDATE
       SET state = CASE search_embedders.state WHEN 'retired' THEN excluded.state
                                               ELSE search_embedders.state END
"""

_RETIRE_FILLING = """
    UPDATE search_embedders SET state = 'retired', changed_at = now()
     WHERE state = 'filling' AND id <> %s
"""

_LIST = """
    SELECT e.id, e.dimensions, e.state, (
           SELECT count(*) FROM search_vectors v WHERE v.embedder = e.id) AS chunks
      FROM search_embedders e ORDER BY e.state = 'serving' DESC, e.changed_at DESC, e.id
"""

_DELETE_SOME = """
    DELETE FROM search_vectors WHERE embedder = %(embedder)s AND chunk_id IN (
           SELECT v.chunk_id FROM search_vectors v
            WHERE v.embedder = %(embedder)s LIMIT %(batch)s)
       AND EXISTS (SELECT 1 FROM search_embedders
                    WHERE id = %(embedder)s AND state = 'retired' FOR SHARE)
"""


async def lock(conn: Connection) -> None:
    """Let one transaction at a time change which embedders there are."""
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


async def enrol(conn: Connection, embedder_id: str, dimensions: int) -> None:
    """Make an embedder known: the first serves at once, another fills until it is complete.

    Raises: EmbedderUnavailable("embed.dimensions"): its vectors used to be of another size.
    """
    known = await _find(conn, embedder_id)
    if known is None or known["state"] == "retired":
        async with conn.transaction():
            await lock(conn)
            await conn.execute(_RETIRE_FILLING, (embedder_id,))
            await conn.execute(_ENROL, {"id": embedder_id, "dimensions": dimensions})
            known = await _find(conn, embedder_id)
    if known is None or known["dimensions"] != dimensions:
        raise EmbedderUnavailable(
            "embed.dimensions", f"{embedder_id} gives vectors of another size than before."
        )


async def _find(conn: Connection, embedder_id: str) -> DictRow | None:
    rows = await conn.execute(
        "SELECT dimensions, state FROM search_embedders WHERE id = %s", (embedder_id,)
    )
    return await rows.fetchone()


async def select_serving(conn: Connection) -> str | None:
    """Return the embedder whose vectors are searched."""
    rows = await conn.execute("SELECT id FROM search_embedders WHERE state = 'serving'")
    found = await rows.fetchone()
    return found["id"] if found else None


async def select_all(conn: Connection) -> list[EmbedderState]:
    """Return every embedder that has vectors, the serving one first."""
    return [EmbedderState(**row) for row in await (await conn.execute(_LIST)).fetchall()]


async def retire_filling(conn: Connection, *, but: str) -> None:
    """Give up filling for every embedder but one."""
    await conn.execute(_RETIRE_FILLING, (but,))


async def hand_over(conn: Connection, embedder_id: str) -> bool:
    """Let an embedder serve instead of the one that does; returns whether it is known."""
    if await _find(conn, embedder_id) is None:
        return False
    await conn.execute(
        "UPDATE search_embedders SET state = 'retired', changed_at = now() WHERE state = 'serving'"
    )
    await conn.execute(
        "UPDATE search_embedders SET state = 'serving', changed_at = now() WHERE id = %s",
        (embedder_id,),
    )
    return True


async def select_retired(conn: Connection, *, for_s: float) -> list[str]:
    """Return the embedders that have been retired for so many seconds."""
    rows = await conn.execute(
        "SELECT id FROM search_embedders WHERE state = 'retired'"
        " AND changed_at <= now() - make_interval(secs => %s) ORDER BY id",
        (for_s,),
    )
    return [r["id"] for r in await rows.fetchall()]


async def delete_retired(conn: Connection, embedder_id: str) -> None:
    """Delete the vectors of a retired embedder in batches, then its indexes, then itself."""
    values = {"embedder": embedder_id, "batch": _DELETE_BATCH}
    while (await conn.execute(_DELETE_SOME, values)).rowcount:
        pass
    for language in LANGUAGES:
        name = sql.Identifier(index_name(embedder_id, language))
        await conn.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(name))
    await conn.execute("DELETE FROM search_vector_changes WHERE embedder = %s", (embedder_id,))
    await conn.execute(
        "DELETE FROM search_embedders WHERE id = %s AND state = 'retired' AND NOT EXISTS"
        " (SELECT 1 FROM search_vectors WHERE embedder = search_embedders.id)",
        (embedder_id,),
    )


def index_name(embedder_id: str, language: Language) -> str:
    """Return the name of the index on an embedder's vectors in a language."""
    readable = re.sub(r"[^a-z0-9]+", "_", embedder_id.lower()).strip("_")[:_NAME_CHARS]
    digest = hashlib.sha256(embedder_id.encode()).hexdigest()[:8]
    return f"search_nearest_{readable}_{digest}_{language}"


async def try_build_lock(conn: Connection) -> bool:
    """Take the lock of whoever builds indexes, unless somebody has it."""
    return bool(await _value(conn, "SELECT pg_try_advisory_lock(%s) AS value", (_BUILD_LOCK,)))


async def release_build_lock(conn: Connection) -> None:
    """Give that lock back."""
    await conn.execute("SELECT pg_advisory_unlock(%s)", (_BUILD_LOCK,))


async def build_indexes(conn: Connection, embedder_id: str, *, memory_mb: int) -> None:
    """Build what is missing of an embedder's indexes while searches and ingests go on.

    Args:
        conn: outside a transaction.
        memory_mb: for the graph; what does not fit is built several times as slowly.
    """
    known = await _find(conn, embedder_id)
    if known is None:
        return
    for language in LANGUAGES:
        name = index_name(embedder_id, language)
        valid = await _value(
            conn,
            "SELECT indisvalid AS value FROM pg_index WHERE indexrelid = to_regclass(%s)",
            (name,),
        )
        if valid:
            continue
        if valid is False:  # a build that was broken off
            drop = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(name))
            await conn.execute(drop)
        await _build(conn, name, embedder_id, language, known["dimensions"], memory_mb)


async def _build(
    conn: Connection,
    name: str,
    embedder_id: str,
    language: Language,
    dimensions: int,
    memory_mb: int,
) -> None:
    # One process, and its own memory: a parallel build needs as much shared memory, of which
    # containers have 64 MB, and would take the cores from those who answer.
    await conn.execute(
        "SELECT set_config('maintenance_work_mem', %s, false),"
        " set_config('max_parallel_maintenance_workers', '0', false)",
        (f"{memory_mb}MB",),
    )
    try:
        await conn.execute(
            sql.SQL(
                "CREATE INDEX CONCURRENTLY {name} ON search_vectors"
                " USING hnsw ((embedding::halfvec({dimensions})) halfvec_ip_ops)"
                " WITH (ef_construction = {neighbours})"
                " WHERE embedder = {embedder} AND language = {language}"
            ).format(
                name=sql.Identifier(name),
                dimensions=sql.Literal(dimensions),
                neighbours=sql.Literal(_CONSTRUCTION_NEIGHBOURS),
                embedder=sql.Literal(embedder_id),
                language=sql.Literal(language),
            )
        )
    finally:
        await conn.execute("RESET maintenance_work_mem")
        await conn.execute("RESET max_parallel_maintenance_workers")


async def _value(conn: Connection, query: str, values: tuple[Any, ...]) -> Any:
    row = await (await conn.execute(query, values)).fetchone()
    return row["value"] if row else None
