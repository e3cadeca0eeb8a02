"""What came of a file whose upload never ended does not stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crm.actor import SERVICE_ACTOR
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.imports import store
from crm.imports.models import Import, ImportId, StartImport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.crm.imports.conftest import Desk

DAY = timedelta(days=1)
PARTS = "SELECT count(*) FROM import_parts WHERE import_id = %s"
COMMAND = StartImport(kind="people", file_name="people.csv")


async def uploading(desk: Desk, *, age: timedelta) -> Import:
    """Leave an upload behind as a process does that is killed after its first part."""
    row = Import(
        id=ImportId(new_id()),
        kind="people",
        file_name="people.csv",
        columns={},
        duplicates="skip",
        dry_run=False,
        status="uploading",
        staff_id=None,
        created_at=desk.database.clock.now() - age,
    )
    async with desk.database.transaction() as uow:
        await store.insert_import(uow.conn, row)
        await store.insert_part(uow.conn, row.id, 0, b"nombre,correo\nAna,ana@uno.pe\n")
    return row


async def test_what_a_killed_process_left_goes_and_what_is_young_stays(desk: Desk) -> None:
    old, young = await uploading(desk, age=2 * DAY), await uploading(desk, age=DAY / 2)

    assert await desk.service.forget_broken_uploads(older_than=DAY) == 1
    assert await desk.service.forget_broken_uploads(older_than=DAY) == 0

    closed = await desk.service.get(old.id, actor=SERVICE_ACTOR)
    assert (closed.status, closed.error_code) == ("failed", "import.upload")
    assert await desk.count(PARTS, old.id) == 0
    assert (await desk.service.get(young.id, actor=SERVICE_ACTOR)).status == "uploading"
    assert await desk.count(PARTS, young.id) == 1
    with pytest.raises(RuleBroken, match=r"import\.file"):
        await desk.service.run(old.id, actor=SERVICE_ACTOR)


@pytest.mark.parametrize("how", ["cancelled", "swept"])
async def test_upload_that_was_stopped_meanwhile_is_not_taken_up(desk: Desk, how: str) -> None:
    command = replace(COMMAND, file_name=f"{new_id()}.csv")

    async def content() -> AsyncIterator[bytes]:
        yield b"nombre,correo\n"
        page = await desk.service.list(cursor=None, limit=200, actor=SERVICE_ACTOR)
        (mine,) = [row for row in page.items if row.file_name == command.file_name]
        if how == "cancelled":
            await desk.service.cancel(mine.id, actor=SERVICE_ACTOR)
        else:
            await desk.service.forget_broken_uploads(older_than=timedelta(seconds=-1))
        yield b"Ana,ana@uno.pe\n"

    with pytest.raises(Conflict, match=r"import\.closed"):
        await desk.service.receive(command, content(), actor=SERVICE_ACTOR)

    page = await desk.service.list(cursor=None, limit=200, actor=SERVICE_ACTOR)
    (mine,) = [row for row in page.items if row.file_name == command.file_name]
    assert mine.status == {"cancelled": "cancelled", "swept": "failed"}[how]
    assert await desk.count(PARTS, mine.id) == 0
