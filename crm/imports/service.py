"""Use cases of imports: take a file, try it, run it, stop it, say how far it is."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from crm.actor import Actor
from crm.db import Connection, Database, UnitOfWork
from crm.errors import NotFound, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import INSTITUTION, new_id
from crm.imports import store
from crm.imports.events import ImportEnded, ImportQueued
from crm.imports.importer import Importer
from crm.imports.models import (
    PART_BYTES,
    Import,
    ImportId,
    ImportKind,
    LineError,
    StartImport,
)
from crm.journal.audit import AuditEntry, performed
from crm.journal.idempotency import IdempotencyKey
from crm.once import do_once
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.uploads import Upload, spooled


class ImportService:
    """The imports of the institution; admins only.

    Args:
        max_bytes: of a file.
    """

    def __init__(
        self, database: Database, importers: Mapping[ImportKind, Importer], *, max_bytes: int
    ) -> None:
        self._db = database
        self._importers = importers
        self._max_bytes = max_bytes

    async def receive(
        self,
        command: StartImport,
        content: AsyncIterator[bytes],
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Import:
        """Keep a file whole, and let runners take it up.

        The file is read before the key is looked at: with the same key, another one is an error.

        Raises:
            Denied("auth.role").
            RuleBroken("import.field"): a column is wanted for a field that there is not.
            RuleBroken("import.size"): the file is too large; nothing of it is kept.
            RuleBroken("import.empty"): there is no file.
        """
        require(actor, Area.IMPORTS, write=True)
        self._check_fields(command)
        async with (
            spooled(content, max_bytes=self._max_bytes, area="import") as upload,
            self._db.transaction() as uow,
        ):
            kept = await do_once(
                uow,
                idempotency,
                {**asdict(command), "sha256": upload.sha256.hex()},
                lambda: _receive(uow, command, upload, actor),
                kind=Import,
            )
            return await _find(uow.conn, kept.id)

    def _check_fields(self, command: StartImport) -> None:
        known = {field.name for field in self._importers[command.kind].fields}
        if unknown := sorted(command.columns.keys() - known):
            raise RuleBroken("import.field", f"There is no field “{unknown[0][:60]}” to import.")

    async def run(self, import_id: ImportId, *, actor: Actor) -> Import:
        """Run for real a file that was tried; asking again while it runs changes nothing.

        Raises:
            Denied("auth.role"); NotFound("import.unknown").
            RuleBroken("import.file"): the file is no longer kept.
        """
        require(actor, Area.IMPORTS, write=True)
        async with self._db.transaction() as uow:
            row = await _find(uow.conn, import_id, lock=True)
            if not row.dry_run and row.status in ("queued", "running", "done"):
                return row
            if not row.size_bytes:
                raise RuleBroken("import.file", "The file is no longer kept; send it again.")
            await store.delete_errors(uow.conn, import_id)
            await store.queue_import(uow.conn, import_id, dry_run=False)
            uow.publish(ImportQueued(import_id=import_id))
            uow.audit(_entry(actor, "import.run", import_id, {"file_name": row.file_name}))
            return await _find(uow.conn, import_id)

    async def cancel(self, import_id: ImportId, *, actor: Actor) -> Import:
        """Stop an import; what it has written stays, the file goes.

        Raises: Denied("auth.role"); NotFound("import.unknown").
        """
        require(actor, Area.IMPORTS, write=True)
        async with self._db.transaction() as uow:
            row = await _find(uow.conn, import_id, lock=True)
            if not row.has_ended:
                await store.cancel_import(uow.conn, import_id, at=uow.clock.now())
                uow.publish(ImportEnded(import_id=import_id, status="cancelled"))
                uow.audit(_entry(actor, "import.cancel", import_id, {"lines_done": row.lines_done}))
            await store.forget_file(uow.conn, import_id)
            return await _find(uow.conn, import_id)

    async def get(self, import_id: ImportId, *, actor: Actor) -> Import:
        """Return an import and how far it is.

        Raises: Denied("auth.role"); NotFound("import.unknown").
        """
        require(actor, Area.IMPORTS)
        async with self._db.read() as conn:
            return await _find(conn, import_id)

    async def list(self, *, cursor: str | None, limit: int, actor: Actor) -> Page[Import]:
        """Return imports, the newest first.

        Raises: Denied("auth.role"); RuleBroken("page.cursor").
        """
        require(actor, Area.IMPORTS)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.read() as conn:
            rows = await store.select_imports(conn, after=after, limit=limit + 1)
        return page_of(rows, limit, lambda row: encode_cursor(row.created_at, row.id))

    async def errors(
        self, import_id: ImportId, *, cursor: str | None, limit: int, actor: Actor
    ) -> Page[LineError]:
        """Return what is wrong in a file, line by line.

        Raises: Denied("auth.role"); NotFound("import.unknown"); RuleBroken("page.cursor").
        """
        require(actor, Area.IMPORTS)
        after = decode_cursor(cursor, int)
        async with self._db.read() as conn:
            await _find(conn, import_id)
            rows = await store.select_errors(
                conn, import_id, after=after[0] if after else 0, limit=limit + 1
            )
        return page_of(rows, limit, lambda error: encode_cursor(error.line))

    async def forget_idle_files(self, *, older_than: timedelta, limit: int = 100) -> int:
        """Delete files that nobody ran for long; returns how many."""
        async with self._db.transaction() as uow:
            before = uow.clock.now() - older_than
            idle = await store.select_idle(uow.conn, before=before, limit=limit)
            for import_id in idle:
                await store.forget_file(uow.conn, import_id)
        return len(idle)


async def _receive(uow: UnitOfWork, command: StartImport, upload: Upload, actor: Actor) -> Import:
    row = Import(
        id=ImportId(new_id()),
        kind=command.kind,
        file_name=command.file_name,
        size_bytes=upload.size_bytes,
        columns=command.columns,
        duplicates=command.duplicates,
        dry_run=command.dry_run,
        status="queued",
        staff_id=actor.staff_id,
        lines_total=max(0, upload.newlines - 1),
        created_at=uow.clock.now(),
    )
    await store.insert_import(uow.conn, row, sha256=upload.sha256)
    for part, content in enumerate(upload.parts(PART_BYTES)):
        await store.insert_part(uow.conn, row.id, part, content)
    uow.publish(ImportQueued(import_id=row.id))
    uow.audit(_entry(actor, "import.receive", row.id, {"kind": row.kind}))
    return row


async def _find(conn: Connection, import_id: ImportId, *, lock: bool = False) -> Import:
    row = await store.select_import(conn, import_id, lock=lock)
    if row is None:
        raise NotFound("import.unknown", "There is no such import.")
    return row


def _entry(
    actor: Actor, action: str, import_id: ImportId, payload: Mapping[str, object]
) -> AuditEntry:
    return performed(
        actor,
        action,
        arguments={"import_id": import_id},
        payload=payload,
        about=INSTITUTION,
        chain_id=import_id,
        chain_kind="batch",
    )
