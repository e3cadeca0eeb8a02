"""The SQL of changes that Elasticsearch has to be told: taken, looked up, settled."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, class_row

from retrieval.stores.elasticsearch.names import Corpus

Connection = AsyncConnection[DictRow]

#: A claim outlives the slowest batch, so that a chunk is sent by one process at a time.
CLAIM_S = 120

# Of what serves before of what is being built.
_CLAIM = """
    WITH due AS (
        SELECT c.generation, c.chunk_id
          FROM search_changes c
          JOIN search_generations g ON g.id = c.generation AND g.state IN ('building', 'serving')
         WHERE c.set_aside_at IS NULL AND c.available_at <= now()
           AND (c.claimed_until IS NULL OR c.claimed_until < now())
         ORDER BY c.generation, c.available_at
         LIMIT %(limit)s FOR UPDATE OF c SKIP LOCKED)
    UPDATE search_changes c
       SET claim = nextval('search_change_seq'), attempts = c.attempts + 1,
           claimed_until = now() + make_interval(secs => %(claim_s)s)
      FROM due
     WHERE c.generation = due.generation AND c.chunk_id = due.chunk_id
    RETURNING c.generation, c.chunk_id, c.kind, c.language, c.change, c.claim, c.attempts
"""

_READ = """
    SELECT asked.generation, c.id, c.document_id, c.slug, c.audience, c.topic, c.valid_from,
           c.valid_to, c.headings, c.body, v.embedding::real[] AS embedding, v.embedder
      FROM unnest(%(generations)s::bigint[], %(chunks)s::bigint[]) AS asked (generation, chunk_id)
      JOIN search_generations g ON g.id = asked.generation
      JOIN search_chunks c ON c.id = asked.chunk_id
      LEFT JOIN search_vectors v ON v.chunk_id = c.id AND v.embedder = g.embedder
"""

# Gone if it is as it was taken. Changed meanwhile: due again. Taken by another, after this claim
# had run out: what was written late may be old, so it is written once more.
_SETTLE = """
    WITH sent AS (
        SELECT * FROM unnest(%(generations)s::bigint[], %(chunks)s::bigint[], %(kinds)s::text[],
                             %(languages)s::text[], %(changes)s::bigint[], %(claims)s::bigint[])
            AS s (generation, chunk_id, kind, language, change, claim)),
    done AS (
        DELETE FROM search_changes c USING sent s
         WHERE c.generation = s.generation AND c.chunk_id = s.chunk_id
           AND c.change = s.change AND c.claim = s.claim
        RETURNING c.generation, c.chunk_id)
    INSERT INTO search_changes AS c (generation, chunk_id, kind, language, claim)
    SELECT s.generation, s.chunk_id, s.kind, s.language, s.claim
      FROM sent s JOIN search_generations g ON g.id = s.generation
     WHERE NOT EXISTS (SELECT FROM done d
                        WHERE d.generation = s.generation AND d.chunk_id = s.chunk_id)
     ORDER BY s.generation, s.chunk_id
        ON CONFLICT (generation, chunk_id) DO UPDATE
       SET change = nextval('search_change_seq'),
           claimed_until = CASE WHEN c.claim <> excluded.claim THEN c.claimed_until END
"""

_POSTPONE = """
    UPDATE search_changes c
       SET claimed_until = NULL, reason = %(reason)s,
           available_at = now() + least(%(longest_s)s, power(2, c.attempts - 1))
                                  * interval '1 second'
      FROM unnest(%(generations)s::bigint[], %(chunks)s::bigint[], %(claims)s::bigint[])
        AS s (generation, chunk_id, claim)
     WHERE c.generation = s.generation AND c.chunk_id = s.chunk_id AND c.claim = s.claim
"""

_SET_ASIDE = """
    UPDATE search_changes c
       SET claimed_until = NULL, reason = %(reason)s,
           set_aside_at = CASE WHEN c.change = %(change)s THEN now() END
     WHERE c.generation = %(generation)s AND c.chunk_id = %(chunk_id)s AND c.claim = %(claim)s
"""

#: However long the server is away, it is asked again within a minute.
_LONGEST_WAIT_S = 60


@dataclass(frozen=True, slots=True)
class Change:
    """A chunk that differs from what an index holds, in the hands of one sender.

    Args:
        claim: rises with every claim; what is written under a lower one is older.
    """

    generation: int
    chunk_id: int
    kind: Any
    language: Any
    change: int
    claim: int
    attempts: int

    @property
    def corpus(self) -> Corpus:
        """The corpus whose index holds the chunk."""
        return self.kind, self.language


@dataclass(frozen=True, slots=True)
class SetAside:
    """A change that the server does not take, and why."""

    generation: int
    chunk_id: int
    document_id: str | None
    reason: str


async def claim(conn: Connection, *, limit: int) -> list[Change]:
    """Take changes that are due; no other sender gets them for a while."""
    async with conn.cursor(row_factory=class_row(Change)) as cursor:
        await cursor.execute(_CLAIM, {"limit": limit, "claim_s": CLAIM_S})
        return await cursor.fetchall()


async def read_chunks(
    conn: Connection, changes: Sequence[Change]
) -> dict[tuple[int, int], DictRow]:
    """Return the chunks as they are now, by generation and id; those that are gone are missing."""
    rows = await conn.execute(_READ, _keys(changes))
    return {(r.pop("generation"), r["id"]): r for r in await rows.fetchall()}


async def settle(conn: Connection, changes: Sequence[Change]) -> None:
    """Note what the server has taken."""
    values = {
        **_keys(changes),
        "kinds": [c.kind for c in changes],
        "languages": [c.language for c in changes],
        "changes": [c.change for c in changes],
    }
    await conn.execute(_SETTLE, values)


async def postpone(conn: Connection, changes: Sequence[Change], reason: str) -> None:
    """Give changes back; each try waits twice as long as the one before."""
    values = {**_keys(changes), "reason": reason, "longest_s": _LONGEST_WAIT_S}
    await conn.execute(_POSTPONE, values)


async def set_aside(conn: Connection, change: Change, reason: str) -> None:
    """Keep a change that the server will not take, with its reason, out of the others' way."""
    values = {
        "generation": change.generation,
        "chunk_id": change.chunk_id,
        "claim": change.claim,
        "change": change.change,
        "reason": reason,
    }
    await conn.execute(_SET_ASIDE, values)


async def list_set_aside(conn: Connection, *, limit: int) -> list[SetAside]:
    """Return what was set aside, in the order of the chunks."""
    async with conn.cursor(row_factory=class_row(SetAside)) as cursor:
        await cursor.execute(
            "SELECT s.generation, s.chunk_id, c.document_id, coalesce(s.reason, '') AS reason"
            "  FROM search_changes s LEFT JOIN search_chunks c ON c.id = s.chunk_id"
            " WHERE s.set_aside_at IS NOT NULL ORDER BY s.generation, s.chunk_id LIMIT %s",
            (limit,),
        )
        return await cursor.fetchall()


async def retry_set_aside(conn: Connection) -> int:
    """Let what was set aside be tried again; returns how many."""
    done = await conn.execute(
        "UPDATE search_changes SET set_aside_at = NULL, reason = NULL, attempts = 0,"
        " available_at = now() WHERE set_aside_at IS NOT NULL"
    )
    return done.rowcount


def _keys(changes: Collection[Change]) -> dict[str, Any]:
    return {
        "generations": [c.generation for c in changes],
        "chunks": [c.chunk_id for c in changes],
        "claims": [c.claim for c in changes],
    }
