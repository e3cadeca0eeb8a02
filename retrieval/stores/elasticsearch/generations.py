"""The SQL of generations: the sets of indexes, of which one serves and one may be being built."""

from dataclasses import dataclass
from typing import Literal

from psycopg import AsyncConnection
from psycopg.rows import DictRow, class_row
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[DictRow]
Pool = AsyncConnectionPool[Connection]
State = Literal["planned", "building", "serving", "retired"]

# Whoever changes chunks now commits first, whoever comes later sees the new generation: so no
# change is lost between what is copied and what is queued. Shorter than the time after which the
# server looks for deadlocks, so that it is never a writer who has to give way.
_WAIT_FOR_WRITERS = """
    SELECT set_config('lock_timeout', '500ms', true)
"""

_PLAN = """
    INSERT INTO search_generations (state, shape, embedder, dimensions)
    VALUES ('planned', %(shape)s, %(embedder)s, %(dimensions)s)
    ON CONFLICT DO NOTHING
"""

_COPY = """
    WITH planned AS (
        UPDATE search_generations SET state = 'building', changed_at = now()
         WHERE id = %(id)s AND state = 'planned' RETURNING id),
    queued AS (
        INSERT INTO search_changes (generation, chunk_id, kind, language)
        SELECT p.id, c.id, c.kind, c.language FROM search_chunks c CROSS JOIN planned p
            ON CONFLICT DO NOTHING
        RETURNING generation)
    SELECT count(*) AS chunks FROM queued
"""

_RETIRE_FORSAKEN = """
    UPDATE search_generations g SET state = 'retired', changed_at = now()
     WHERE g.state <> 'retired' AND EXISTS (
           SELECT FROM search_changes c
            WHERE c.generation = g.id AND c.set_aside_at IS NULL
              AND c.changed_at < now() - make_interval(secs => %s))
    RETURNING g.id
"""

_LIST = """
    SELECT g.id, g.state, g.shape, g.embedder, g.dimensions, g.chunks, (
           SELECT count(*) FROM search_changes c
            WHERE c.generation = g.id AND c.set_aside_at IS NULL) AS pending, (
           SELECT count(*) FROM search_changes c
            WHERE c.generation = g.id AND c.set_aside_at IS NOT NULL) AS set_aside
      FROM search_generations g ORDER BY g.id
"""


@dataclass(frozen=True, slots=True)
class Generation:
    """A set of indexes, one a corpus.

    Args:
        chunks: how many were to be copied into it.
        pending: changes that it does not hold yet.
        set_aside: changes that the server does not take.
    """

    id: int
    state: State
    shape: str
    embedder: str | None
    dimensions: int | None
    chunks: int
    pending: int
    set_aside: int


@dataclass(frozen=True, slots=True)
class Serving:
    """The embedder whose vectors are searched."""

    embedder: str
    dimensions: int


async def select_all(conn: Connection) -> list[Generation]:
    """Return every generation, the oldest first."""
    async with conn.cursor(row_factory=class_row(Generation)) as cursor:
        await cursor.execute(_LIST)
        return await cursor.fetchall()


async def select_embedder(conn: Connection) -> Serving | None:
    """Return the embedder whose vectors are searched; None while there are none."""
    rows = await conn.execute(
        "SELECT id AS embedder, dimensions FROM search_embedders WHERE state = 'serving'"
    )
    found = await rows.fetchone()
    return Serving(**found) if found else None


async def plan(conn: Connection, shape: str, embedder: Serving | None) -> None:
    """Begin to queue changes for a new generation, unless one is under way; in a transaction.

    Raises: psycopg.errors.LockNotAvailable: somebody has been changing chunks for too long.
    """
    await conn.execute(_WAIT_FOR_WRITERS)
    await conn.execute("LOCK TABLE search_chunks, search_vectors IN SHARE ROW EXCLUSIVE MODE")
    values = {
        "shape": shape,
        "embedder": embedder and embedder.embedder,
        "dimensions": embedder and embedder.dimensions,
    }
    await conn.execute(_PLAN, values)


async def queue_all(conn: Connection, generation: int) -> None:
    """Queue every chunk that there is for a planned generation; in a transaction."""
    row = await (await conn.execute(_COPY, {"id": generation})).fetchone()
    await conn.execute(
        "UPDATE search_generations SET chunks = %s WHERE id = %s AND state = 'building'"
        " AND chunks = 0",
        (row["chunks"] if row else 0, generation),
    )


async def is_complete(conn: Connection, generation: int) -> bool:
    """Whether an index holds everything that it can."""
    rows = await conn.execute(
        "SELECT 1 FROM search_changes WHERE generation = %s AND set_aside_at IS NULL LIMIT 1",
        (generation,),
    )
    return await rows.fetchone() is None


async def serve(conn: Connection, generation: int) -> None:
    """Let a generation serve instead of the one that does; in a transaction."""
    await conn.execute(
        "UPDATE search_generations SET state = 'retired', changed_at = now()"
        " WHERE state = 'serving' AND id < %s",
        (generation,),
    )
    await conn.execute(
        "UPDATE search_generations SET state = 'serving', changed_at = now()"
        " WHERE id = %s AND state = 'building'",
        (generation,),
    )


async def retire(conn: Connection, generation: int) -> None:
    """Give a generation up."""
    await conn.execute(
        "UPDATE search_generations SET state = 'retired', changed_at = now() WHERE id = %s",
        (generation,),
    )


async def forget(conn: Connection, generation: int) -> None:
    """Forget a retired generation whose indexes are gone, with what was queued for it."""
    await conn.execute(
        "DELETE FROM search_generations WHERE id = %s AND state = 'retired'", (generation,)
    )


async def forget_forsaken(pool: Pool, *, for_s: float) -> int:
    """Queue nothing more for indexes that nobody has told of changes for so long.

    Whoever searches there again builds new ones and deletes these.

    Returns: how many sets of indexes there were.
    """
    async with pool.connection() as conn, conn.transaction():
        rows = await conn.execute(_RETIRE_FORSAKEN, (for_s,))
        ids = [r["id"] for r in await rows.fetchall()]
        if ids:
            await conn.execute("DELETE FROM search_changes WHERE generation = ANY (%s)", (ids,))
    return len(ids)
