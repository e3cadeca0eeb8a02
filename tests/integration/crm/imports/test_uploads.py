"""A file is kept whole or not at all, and a key stands for one file."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crm.actor import SERVICE_ACTOR
from crm.errors import Conflict
from crm.ids import INSTITUTION, new_id
from crm.imports import store
from crm.imports.models import PART_BYTES, StartImport
from crm.journal.idempotency import IdempotencyKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from crm.imports.models import Import
    from tests.integration.crm.imports.conftest import Desk

COMMAND = StartImport(kind="people", file_name="people.csv")
LINES = b"nombre,correo\nAna,ana@uno.pe\n"


def new_key() -> IdempotencyKey:
    return IdempotencyKey("test", str(new_id()), INSTITUTION)


async def receive(
    desk: Desk, *pieces: bytes, key: IdempotencyKey | None = None, command: StartImport = COMMAND
) -> Import:
    async def content() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return await desk.service.receive(command, content(), actor=SERVICE_ACTOR, idempotency=key)


async def kept(desk: Desk) -> tuple[int, ...]:
    """Count what an import leaves when it is received."""
    tables = ("imports", "import_parts", "audit_events", "outbox")
    return tuple([await desk.count(f"SELECT count(*) FROM {table}") for table in tables])


async def test_upload_that_breaks_off_leaves_nothing_and_its_key_free(desk: Desk) -> None:
    key, before = new_key(), await kept(desk)

    async def content() -> AsyncIterator[bytes]:
        yield LINES * PART_BYTES
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await desk.service.receive(COMMAND, content(), actor=SERVICE_ACTOR, idempotency=key)
    assert await kept(desk) == before
    assert (await receive(desk, LINES, key=key)).status == "queued"


async def test_large_file_is_kept_in_order(desk: Desk) -> None:
    lines = b"".join(b"%d,x%d@large.pe\n" % (n, n) for n in range(30_000))
    row = await receive(desk, b"nombre,correo\n", lines)
    parts = []
    async with desk.database.read() as conn:
        while part := await store.select_part(conn, row.id, len(parts)):
            parts.append(part)
    assert len(parts) > 1
    assert b"".join(parts) == b"nombre,correo\n" + lines
    assert row.lines_total == 30_000


@pytest.mark.parametrize(
    "other",
    [
        {"file_name": "others.csv"},
        {"kind": "leads"},
        {"columns": {"full_name": "nombre"}},
        {"duplicates": "update"},
        {"dry_run": True},
        {},
    ],
)
async def test_key_stands_for_one_file_read_one_way(desk: Desk, other: dict[str, str]) -> None:
    key = new_key()
    row = await receive(desk, LINES, key=key)
    before = await kept(desk)
    assert (await receive(desk, LINES[:9], LINES[9:], key=key)).id == row.id
    command = replace(COMMAND, **other)  # type: ignore[arg-type]
    content = LINES if other else LINES.replace(b"Ana", b"Eva")
    with pytest.raises(Conflict, match=r"idempotency\.mismatch"):
        await receive(desk, content, key=key, command=command)
    assert await kept(desk) == before


async def test_same_file_twice_at_once_is_one_import(desk: Desk) -> None:
    key = new_key()
    rows = await asyncio.gather(*(receive(desk, LINES, key=key) for _ in range(4)))
    assert len({row.id for row in rows}) == 1
