"""All the journal's SQL: subject keys, audit chains, outbox, idempotency keys."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from crm.ids import new_id
from crm.journal.audit import AUDIT_COLUMNS, GENESIS, AuditEntry, canonical, link, shard_of
from crm.journal.events import DomainEvent, new_event_id
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

_LINKED = ("chain_id", "seq", "prev_hash", "hash")
_HEADER = tuple(c for c in AUDIT_COLUMNS if c not in _LINKED)
#: Columns taken from the entry as they are.
_COPIED = tuple(f.name for f in fields(AuditEntry) if f.name in _HEADER)
_INSERT_AUDIT = (
    f"INSERT INTO audit_events (chain_id, seq, {', '.join(_HEADER)}, sealed, prev_hash, hash) "  # noqa: S608
    f"VALUES (%(chain_id)s, %(seq)s, {', '.join(f'%({c})s' for c in _HEADER)}, "
    "%(sealed)s, %(prev_hash)s, %(hash)s)"
)


async def append_audit(
    conn: Connection,
    entries: Sequence[AuditEntry],
    *,
    keys: Mapping[UUID, SubjectKey | None],
    at: datetime,
) -> list[UUID]:
    """Seal the entries and append them to their chains, in the order given.

    Args:
        keys: of every entry's `subjects`.
    Returns: the records' ids, in the same order.
    """
    heads = await _lock_heads(conn, entries, at=at)
    rows = [_audit_row(e, keys, heads, at=at) for e in entries]
    async with conn.cursor() as cursor:
        await cursor.executemany(_INSERT_AUDIT, rows)
    await _move_heads(conn, heads, at=at)
    return [row["id"] for row in rows]


def _chain_of(entry: AuditEntry) -> tuple[UUID, str]:
    if entry.chain_id is None:
        return shard_of(entry.actor), "shard"
    return entry.chain_id, entry.chain_kind


async def _lock_heads(
    conn: Connection, entries: Sequence[AuditEntry], *, at: datetime
) -> dict[UUID, tuple[int, bytes]]:
    chains = dict(sorted(_chain_of(e) for e in entries))
    await conn.execute(
        """
        INSERT INTO audit_chains (chain_id, kind, head_seq, head_hash, updated_at)
        SELECT c, k, 0, %(genesis)s, %(at)s
        FROM unnest(%(chains)s::uuid[], %(kinds)s::text[]) AS n (c, k)
        ON CONFLICT (chain_id) DO NOTHING
        """,
        {
            "genesis": GENESIS,
            "at": at,
            "chains": list(chains),
            "kinds": list(chains.values()),
        },
    )
    # One order for all writers: two transactions that touch the same chains cannot deadlock.
    rows = await conn.execute(
        "SELECT chain_id, head_seq, head_hash FROM audit_chains WHERE chain_id = ANY(%s) "
        "ORDER BY chain_id FOR UPDATE",
        [list(chains)],
    )
    return {r["chain_id"]: (r["head_seq"], r["head_hash"]) for r in await rows.fetchall()}


async def _move_heads(
    conn: Connection, heads: Mapping[UUID, tuple[int, bytes]], *, at: datetime
) -> None:
    await conn.execute(
        """
        UPDATE audit_chains SET head_seq = n.seq, head_hash = n.hash, updated_at = %(at)s
        FROM unnest(%(ids)s::uuid[], %(seqs)s::bigint[], %(hashes)s::bytea[]) AS n (id, seq, hash)
        WHERE chain_id = n.id
        """,
        {
            "at": at,
            "ids": list(heads),
            "seqs": [seq for seq, _ in heads.values()],
            "hashes": [head for _, head in heads.values()],
        },
    )


def _audit_row(
    entry: AuditEntry,
    keys: Mapping[UUID, SubjectKey | None],
    heads: dict[UUID, tuple[int, bytes]],
    *,
    at: datetime,
) -> dict[str, Any]:
    chain_id, _ = _chain_of(entry)
    seq, prev_hash = heads[chain_id]
    header = _header(entry, keys[entry.subject_id], at=at)
    sealed = _seal_payload(entry, keys)
    digest = link(prev_hash, {**header, "chain_id": chain_id, "seq": seq + 1}, sealed)
    heads[chain_id] = (seq + 1, digest)
    return header | {
        "chain_id": chain_id,
        "seq": seq + 1,
        "sealed": Jsonb(sealed),
        "prev_hash": prev_hash,
        "hash": digest,
    }


def _header(entry: AuditEntry, key: SubjectKey | None, *, at: datetime) -> dict[str, Any]:
    actor, agent = entry.actor, entry.actor.agent
    digest = None
    if entry.arguments is not None and key is not None:
        digest = key.digest(canonical(entry.arguments))
    return {
        "id": new_id(),
        "occurred_at": at,
        "actor_kind": actor.kind,
        "actor_level": int(actor.level),
        "actor_role": actor.role and str(actor.role),
        "staff_id": actor.staff_id,
        "person_id": actor.person_id,
        "subject_id": entry.subject_id,
        "agent": agent and agent.name,
        "model": agent and agent.model,
        "prompt_version": agent and agent.prompt_version,
        "arguments_digest": digest,
    } | {name: getattr(entry, name) for name in _COPIED}


def _seal_payload(
    entry: AuditEntry, keys: Mapping[UUID, SubjectKey | None]
) -> list[dict[str, str | None]]:
    """Seal each field under its subject's key; a destroyed key leaves the field empty."""
    payload = dict(entry.payload)
    if entry.arguments is not None:
        payload["arguments"] = dict(entry.arguments)
    boxes: list[dict[str, str | None]] = []
    for name, value in payload.items():
        subject = entry.others.get(name, entry.subject_id)
        key = keys[subject]
        box = base64.b64encode(key.seal(canonical(value))).decode() if key else None
        boxes.append({"field": name, "subject": str(subject), "box": box})
    return boxes


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


# --- outbox -------------------------------------------------------------------------------------


async def insert_outbox(conn: Connection, events: Sequence[DomainEvent], *, at: datetime) -> None:
    """Put events into the outbox."""
    await conn.execute(
        """
        INSERT INTO outbox (event_id, name, payload, occurred_at, available_at)
        SELECT i, n, p, %(at)s, %(at)s
        FROM unnest(%(ids)s::uuid[], %(names)s::text[], %(payloads)s::jsonb[]) AS e (i, n, p)
        """,
        {
            "at": at,
            "ids": [new_event_id() for _ in events],
            "names": [e.name for e in events],
            "payloads": [json.dumps(e.payload()) for e in events],
        },
    )


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


async def store_result(conn: Connection, *, scope: str, key: str, result: bytes) -> None:
    """Keep what the first call returned, sealed."""
    await conn.execute(
        "UPDATE idempotency_keys SET result = %s WHERE scope = %s AND key = %s",
        [result, scope, key],
    )


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
