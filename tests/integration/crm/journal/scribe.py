"""A process that makes effects with their audit records, and says so after each commit."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING
from uuid import UUID

from crm.actor import Actor
from crm.clock import SystemClock
from crm.db import Database, open_pool
from crm.ids import SubjectId, new_id
from crm.journal.audit import AuditEntry
from crm.journal.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Every scribe writes into this chain in turn with one of its own.
SHARED = UUID(int=7)


def own_chain(name: str) -> UUID:
    """The chain that one scribe alone writes into."""
    return UUID(bytes=name.encode().ljust(16, b"-"))


def entry(code: str, chain_id: UUID) -> AuditEntry:
    """The record of one effect."""
    return AuditEntry(
        actor=Actor(SubjectId(new_id())),
        action="write_area",
        effect="WRITE",
        outcome="ok",
        decision="allowed",
        payload={"code": code},
        conversation_id=chain_id,
        chain_id=chain_id,
        effect_key=code,
    )


async def write(url: str, name: str, count: int) -> None:
    """Make so many effects, each in a transaction with its record; every fifth is given up."""
    pool = await open_pool(url, min_size=1, max_size=1)
    database = Database(pool, SystemClock(), Vault(bytes(range(32))))
    for number in range(count):
        codes = {f"{name}-{number}": own_chain(name), f"{name}-{number}-shared": SHARED}
        with contextlib.suppress(ZeroDivisionError):
            await _write(database, codes, fail=number % 5 == 4)
            sys.stdout.write("".join(f"{code}\n" for code in codes))
            sys.stdout.flush()
    await pool.close()


async def _write(database: Database, codes: Mapping[str, UUID], *, fail: bool) -> None:
    async with database.transaction() as uow:
        for code, chain_id in codes.items():
            await uow.conn.execute("INSERT INTO areas VALUES (%s, 'Nombre', 'Name')", [code])
            uow.audit(entry(code, chain_id))
        if fail:
            raise ZeroDivisionError


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
