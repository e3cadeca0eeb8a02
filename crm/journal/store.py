"""The SQL of subject keys, audit chains and idempotency keys."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from crm.journal.vault import SubjectKey, Vault
from crm.paging import equal, newest_first

Connection = AsyncConnection[DictRow]


# --- subject keys -------------------------------------------------------------------------------


async def ensure_keys(
    conn: Connection, subjects: Iterable[UUID], *, vault: Vault, at: datetime
) -> dict[UUID, SubjectKey | None]:
    """Return the keys of the subjects, making those that do not exist yet.

    Returns: None for a subject whose key was destroyed.
    """
    wanted = sorted(set(subjects))
    found = await _wrapped_keys(conn, wanted)
    missing = [s for s in wanted if s not in found]
    if missing:
        await conn.execute(
            """
            INSERT INTO subject_keys (subject_id, wrapped_key, created_at)
            SELECT s, k, %(at)s FROM unnest(%(subjects)s::uuid[], %(keys)s::bytea[]) AS n (s, k)
            ON CONFLICT (subject_id) DO NOTHING
            """,
            {"at": at, "subjects": missing, "keys": [vault.new_wrapped_key(s) for s in missing]},
        )
        found = await _wrapped_keys(conn, wanted)
    return {s: vault.unwrap(s, w) if w else None for s, w in found.items()}


async def _wrapped_keys(conn: Connection, subjects: Sequence[UUID]) -> dict[UUID, bytes | None]:
    rows = await conn.execute(
        "SELECT subject_id, wrapped_key FROM subject_keys WHERE subject_id = ANY(%s)",
        [list(subjects)],
    )
    return {r["subject_id"]: r["wrapped_key"] for r in await rows.fetchall()}


async def link_key_to_person(conn: Connection, subject_id: UUID, person_id: UUID) -> None:
    """Note that a visitor's key is a person's, so that erasing the person destroys it, too."""
    await conn.execute(
        "UPDATE subject_keys SET person_id = %s WHERE subject_id = %s", [person_id, subject_id]
    )


# --- audit --------------------------------------------------------------------------------------


async def select_chain(
    conn: Connection, chain_id: UUID, *, after_seq: int, limit: int
) -> list[DictRow]:
    """Return a stretch of a chain, oldest first."""
    rows = await conn.execute(
        "SELECT * FROM audit_events WHERE chain_id = %s AND seq > %s ORDER BY seq LIMIT %s",
        [chain_id, after_seq, limit],
    )
    return await rows.fetchall()


async def begin_snapshot(conn: Connection) -> None:
    """Let every statement of this transaction see the same moment; call it first."""
    await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


async def select_heads(conn: Connection, *, after: UUID | None, limit: int) -> list[DictRow]:
    """Return chains with their heads, by chain id."""
    rows = await conn.execute(
        "SELECT chain_id, kind, head_seq, head_hash FROM audit_chains "
        "WHERE chain_id > %s ORDER BY chain_id LIMIT %s",
        [after or UUID(int=0), limit],
    )
    return await rows.fetchall()


async def select_audit_events(
    conn: Connection,
    *,
    filters: Mapping[str, object],
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[DictRow]:
    """Return records, newest first.

    Args:
        filters: any of `action`, `outcome`, `run_id`, `conversation_id`, `person_id`, `agent`,
            `since`, `until`.
        after: (occurred_at, id) of the last row seen.
    """
    page, values = newest_first(
        {name: filters.get(name) for name in _AUDIT_FILTERS},
        _AUDIT_FILTERS,
        keys=("occurred_at", "id"),
        after=after,
        limit=limit,
    )
    rows = await conn.execute(f"SELECT * FROM audit_events {page}", values)  # noqa: S608 (constants)
    return await rows.fetchall()


_AUDIT_FILTERS = {
    **equal("action", "outcome", "run_id", "conversation_id", "person_id", "agent"),
    "since": "occurred_at >= %(since)s",
    "until": "occurred_at < %(until)s",
}


# --- idempotency --------------------------------------------------------------------------------


async def claim_key(
    conn: Connection, *, scope: str, key: str, subject_id: UUID, digest: bytes, at: datetime
) -> bool:
    """Try to take a key; waits for a transaction that holds it. True when it was free."""
    cursor = await conn.execute(
        """
        INSERT INTO idempotency_keys (scope, key, subject_id, digest, created_at)
        VALUES (%s, %s, %s, %s, %s) ON CONFLICT (scope, key) DO NOTHING
        """,
        [scope, key, subject_id, digest, at],
    )
    return cursor.rowcount == 1


async def select_key(conn: Connection, *, scope: str, key: str) -> DictRow | None:
    """Return a taken key."""
    rows = await conn.execute(
        "SELECT subject_id, digest, result FROM idempotency_keys WHERE scope = %s AND key = %s",
        [scope, key],
    )
    return await rows.fetchone()


async def delete_keys(conn: Connection, *, before: datetime, limit: int) -> int:
    """Forget keys that were taken before a moment; returns how many."""
    cursor = await conn.execute(
        """
        DELETE FROM idempotency_keys WHERE (scope, key) IN (
            SELECT scope, key FROM idempotency_keys WHERE created_at < %s
            ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED
        )
        """,
        [before, limit],
    )
    return cursor.rowcount
