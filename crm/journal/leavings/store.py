"""The SQL of what a unit of work leaves behind: events, records, results, in one statement."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from crm.ids import new_id
from crm.journal.accesses import store as accesses
from crm.journal.audit import AUDIT_COLUMNS, GENESIS, AuditEntry, around_seq, canonical, shard_of
from crm.journal.events import DomainEvent, new_event_id
from crm.journal.leavings.models import Kept, Part
from crm.journal.vault import SubjectKey

Connection = AsyncConnection[DictRow]

# Lists go in the binary format: as text each quote of the JSON in them is found and escaped.


async def leave(
    conn: Connection,
    *,
    events: Sequence[DomainEvent],
    entries: Sequence[AuditEntry],
    kept: Sequence[Kept],
    keys: Mapping[UUID, SubjectKey | None],
    at: datetime,
) -> None:
    """Write events, results and records, sealed and appended to their chains in the order given.

    It is one statement: it is atomic outside a transaction, too.

    Args:
        keys: of every entry's `subjects`.
    """
    ids = [new_id() for _ in entries]
    parts = [
        *_outbox_part(events),
        *accesses.access_part(entries, ids),
        *_kept_part(kept),
    ]
    last = _audit_part(entries, ids, keys, at=at) if entries else Part("SELECT", {})
    beside = ", ".join(f"part_{n} AS ({part.sql})" for n, part in enumerate(parts))
    values: dict[str, object] = {"at": at}
    for part in (*parts, last):
        values |= part.values
    if parts or entries:
        await conn.execute(f"WITH {beside} {last.sql}" if beside else last.sql, values)


# --- audit --------------------------------------------------------------------------------------

_LINKED = ("chain_id", "seq", "prev_hash", "hash")
_HEADER = tuple(c for c in AUDIT_COLUMNS if c not in _LINKED)
#: Columns taken from the entry as they are.
_COPIED = tuple(f.name for f in fields(AuditEntry) if f.name in _HEADER)


def _audit_part(
    entries: Sequence[AuditEntry],
    ids: Sequence[UUID],
    keys: Mapping[UUID, SubjectKey | None],
    *,
    at: datetime,
) -> Part:
    chains = [_chain_of(entry) for entry in entries]
    texts = [
        around_seq(
            _header(entry, keys[entry.subject_id], at=at) | {"id": audit_id, "chain_id": chain_id},
            _seal_payload(entry, keys),
        )
        for entry, audit_id, (chain_id, _) in zip(entries, ids, chains, strict=True)
    ]
    return Part(
        "SELECT append_audit(%(chains)b::uuid[], %(kinds)b::text[], %(befores)b::text[], "
        "%(afters)b::text[], %(genesis)s, %(at)s)",
        {
            "chains": [chain_id for chain_id, _ in chains],
            "kinds": [kind for _, kind in chains],
            "befores": [before for before, _ in texts],
            "afters": [after for _, after in texts],
            "genesis": GENESIS,
        },
    )


def _chain_of(entry: AuditEntry) -> tuple[UUID, str]:
    if entry.chain_id is None:
        return shard_of(entry.actor), "shard"
    return entry.chain_id, entry.chain_kind


def _header(entry: AuditEntry, key: SubjectKey | None, *, at: datetime) -> dict[str, Any]:
    actor, agent = entry.actor, entry.actor.agent
    digest = None
    if entry.arguments is not None and key is not None:
        digest = key.digest(canonical(entry.arguments))
    return {
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


def _outbox_part(events: Sequence[DomainEvent]) -> Iterator[Part]:
    if events:
        yield Part(
            """
            INSERT INTO outbox (event_id, name, payload, occurred_at, available_at)
            SELECT i, n, p, %(at)s, %(at)s
            FROM unnest(%(event_ids)b::uuid[], %(names)b::text[], %(payloads)b::text[]::jsonb[])
                AS e (i, n, p)
            """,
            {
                "event_ids": [new_event_id() for _ in events],
                "names": [e.name for e in events],
                "payloads": [json.dumps(e.payload()) for e in events],
            },
        )


def _kept_part(kept: Sequence[Kept]) -> Iterator[Part]:
    if kept:
        yield Part(
            """
            UPDATE idempotency_keys AS k SET result = n.result
            FROM unnest(%(kept_scopes)b::text[], %(kept_keys)b::text[], %(kept_results)b::bytea[])
                AS n (scope, key, result)
            WHERE k.scope = n.scope AND k.key = n.key
            """,
            {
                "kept_scopes": [k.scope for k in kept],
                "kept_keys": [k.key for k in kept],
                "kept_results": [k.result for k in kept],
            },
        )
