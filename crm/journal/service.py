"""Use cases of the journal: list and open audit records, verify chains."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import DictRow

from crm.db import Connection, Database
from crm.journal import store
from crm.journal.audit import GENESIS, link
from crm.journal.vault import SubjectKey
from crm.paging import Page, decode_cursor, encode_cursor, page_of

_STRETCH = 1_000


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A stored record with its payload opened.

    Args:
        header: the stored columns, hashes in hex.
        payload: field → value, or None where the key was destroyed.
    """

    header: Mapping[str, object]
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first record of a chain that does not fit."""

    chain_id: UUID
    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk over all the chains found."""

    chains: int
    events: int
    broken: tuple[BrokenLink, ...]


class JournalService:
    """Reads the journal for people."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def forget_keys(self, *, older_than: timedelta, limit: int = 1_000) -> int:
        """Delete idempotency keys that were taken long ago; returns how many."""
        async with self._db.transaction() as uow:
            before = uow.clock.now() - older_than
            return await store.delete_keys(uow.conn, before=before, limit=limit)

    async def list_audit_events(
        self, filters: Mapping[str, object], *, cursor: str | None, limit: int
    ) -> Page[AuditRecord]:
        """Return records, newest first; filters as in `store.select_audit_events`."""
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.read() as conn:
            rows = await store.select_audit_events(
                conn, filters=filters, after=after, limit=limit + 1
            )
            page = page_of(rows, limit, lambda r: encode_cursor(r["occurred_at"], r["id"]))
            keys = await self._keys_of(conn, page.items)
        return Page(tuple(_open(r, keys) for r in page.items), page.next_cursor)

    async def _keys_of(
        self, conn: Connection, rows: tuple[DictRow, ...]
    ) -> Mapping[UUID, SubjectKey | None]:
        subjects = {UUID(box["subject"]) for row in rows for box in row["sealed"]}
        if not subjects:
            return {}
        return await store.ensure_keys(
            conn, subjects, vault=self._db.vault, at=self._db.clock.now()
        )

    async def verify_chains(self) -> Verification:
        """Walk every chain from its start and compare each link and each head."""
        chains = events = 0
        broken: list[BrokenLink] = []
        last: UUID | None = None
        while True:
            # A snapshot a stretch: chains that grow meanwhile are no broken chains.
            async with self._db.read() as conn, conn.transaction():
                await store.begin_snapshot(conn)
                heads = await store.select_heads(conn, after=last, limit=_STRETCH)
                for head in heads:
                    flaw = await _verify_chain(conn, head)
                    broken += [flaw] if flaw else []
            if not heads:
                return Verification(chains, events, tuple(broken))
            chains += len(heads)
            events += sum(head["head_seq"] for head in heads)
            last = heads[-1]["chain_id"]


def _open(row: DictRow, keys: Mapping[UUID, SubjectKey | None]) -> AuditRecord:
    payload: dict[str, object] = {}
    for box in row["sealed"]:
        key = keys.get(UUID(box["subject"]))
        opened = key is not None and box["box"] is not None
        payload[box["field"]] = (
            json.loads(key.open(base64.b64decode(box["box"]))) if key and opened else None
        )
    header = {k: v.hex() if isinstance(v, bytes) else v for k, v in row.items() if k != "sealed"}
    return AuditRecord(header, payload)


async def _verify_chain(conn: Connection, head: DictRow) -> BrokenLink | None:
    chain_id, seq, prev = head["chain_id"], 0, GENESIS
    while rows := await store.select_chain(conn, chain_id, after_seq=seq, limit=_STRETCH):
        for row in rows:
            if row["seq"] != seq + 1:
                return BrokenLink(chain_id, seq + 1, "missing")
            if row["prev_hash"] != prev or row["hash"] != _recompute(row):
                return BrokenLink(chain_id, row["seq"], "altered")
            seq, prev = row["seq"], row["hash"]
    if (seq, prev) != (head["head_seq"], head["head_hash"]):
        return BrokenLink(chain_id, seq + 1, "head does not match")
    return None


def _recompute(row: DictRow) -> bytes:
    header = {k: v for k, v in row.items() if k not in ("sealed", "prev_hash", "hash")}
    return link(row["prev_hash"], header, row["sealed"])
