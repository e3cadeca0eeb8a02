"""Use cases of imports: take a file, try it, run it, stop it, say how far it is."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from crm.actor import Actor
from crm.db import Connection, Database, UnitOfWork
from crm.errors import Conflict, NotFound, RuleBroken
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
        """Keep a file, piece by piece, and let runners take it up.

        A repeated call with the same key reads no file again, whatever became of the first.

        Raises:
            Denied("auth.role").
            RuleBroken("import.field"): a column is wanted for a field that there is not.
            RuleBroken("import.size"): the file is too large; nothing of it is kept.
            RuleBroken("import.empty"): there is no file.
            Conflict("import.closed"): somebody stopped it while the file came.
        """
        require(actor, Area.IMPORTS, write=True)
        self._check_fields(command)
        added, is_ours = await self._begin(command, actor, idempotency)
        if not is_ours:
            return await self.get(added.id, actor=actor)
        try:
            size, digest, lines = await self._keep(added.id, content)
            async with self._db.transaction() as uow:
                await _find_uploading(uow, added.id)
                await store.note_file(uow.conn, added.id, size=size, sha256=digest, lines=lines)
                await self._queue(uow, added.id, dry_run=command.dry_run)
                return await _find(uow.conn, added.id)
        except BaseException:
            async with self._db.transaction() as uow:
                await _break_off(uow, added.id)
            raise

    def _check_fields(self, command: StartImport) -> None:
        known = {field.name for field in self._importers[command.kind].fields}
        if unknown := sorted(command.columns.keys() - known):
            raise RuleBroken("import.field", f"There is no field “{unknown[0][:60]}” to import.")

    async def _begin(
        self, command: StartImport, actor: Actor, idempotency: IdempotencyKey | None
    ) -> tuple[Import, bool]:
        """Return the import, and whether this call made it."""
        async with self._db.transaction() as uow:
            ours = _new_import(command, actor, uow.clock.now())

            async def begin() -> Import:
                await store.insert_import(uow.conn, ours)
                uow.audit(_entry(actor, "import.receive", ours.id, {"kind": ours.kind}))
                return ours

            row = await do_once(uow, idempotency, asdict(command), begin, kind=Import)
        return row, row.id == ours.id

    async def _keep(
        self, import_id: ImportId, content: AsyncIterator[bytes]
    ) -> tuple[int, bytes, int]:
        digest, size, breaks, part, waiting = hashlib.sha256(), 0, 0, 0, bytearray()
        async for piece in content:
            size += len(piece)
            if size > self._max_bytes:
                raise RuleBroken("import.size", f"A file has at most {self._max_bytes} bytes.")
            digest.update(piece)
            breaks += piece.count(b"\n")
            waiting += piece
            if len(waiting) >= PART_BYTES:
                await self._keep_part(import_id, part, waiting)
                part, waiting = part + 1, bytearray()
        if waiting:
            await self._keep_part(import_id, part, waiting)
        if not size:
            raise RuleBroken("import.empty", "The file is empty.")
        return size, digest.digest(), max(0, breaks - 1)

    async def _keep_part(self, import_id: ImportId, part: int, content: bytearray) -> None:
        async with self._db.transaction() as uow:
            await store.insert_part(uow.conn, import_id, part, bytes(content))

    async def _queue(self, uow: UnitOfWork, import_id: ImportId, *, dry_run: bool) -> None:
        await store.delete_errors(uow.conn, import_id)
        await store.queue_import(uow.conn, import_id, dry_run=dry_run)
        uow.publish(ImportQueued(import_id=import_id))

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
            await self._queue(uow, import_id, dry_run=False)
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
                await _close(uow, import_id, "cancelled", None)
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

    async def forget_broken_uploads(self, *, older_than: timedelta, limit: int = 100) -> int:
        """Close uploads whose process died, and delete what had come; returns how many."""
        async with self._db.transaction() as uow:
            before = uow.clock.now() - older_than
            broken = await store.select_uploading(uow.conn, before=before, limit=limit)
            for import_id in broken:
                await _break_off(uow, import_id)
        return len(broken)


def _new_import(command: StartImport, actor: Actor, at: datetime) -> Import:
    return Import(
        id=ImportId(new_id()),
        kind=command.kind,
        file_name=command.file_name,
        columns=command.columns,
        duplicates=command.duplicates,
        dry_run=command.dry_run,
        status="uploading",
        staff_id=actor.staff_id,
        created_at=at,
    )


async def _find(conn: Connection, import_id: ImportId, *, lock: bool = False) -> Import:
    row = await store.select_import(conn, import_id, lock=lock)
    if row is None:
        raise NotFound("import.unknown", "There is no such import.")
    return row


async def _find_uploading(uow: UnitOfWork, import_id: ImportId) -> None:
    """Check that an upload may end, and keep others from stopping it.

    Raises: Conflict("import.closed").
    """
    if (await _find(uow.conn, import_id, lock=True)).status != "uploading":
        raise Conflict("import.closed", "This import was stopped while its file came.")


async def _break_off(uow: UnitOfWork, import_id: ImportId) -> None:
    """Delete what came of a file, and say that the upload failed, unless it was stopped."""
    if (await _find(uow.conn, import_id, lock=True)).status == "uploading":
        await _close(uow, import_id, "failed", "import.upload")
    await store.forget_file(uow.conn, import_id)


async def _close(uow: UnitOfWork, import_id: ImportId, status: str, error_code: str | None) -> None:
    await store.close_import(
        uow.conn, import_id, status=status, error_code=error_code, at=uow.clock.now()
    )
    uow.publish(ImportEnded(import_id=import_id, status=status))


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
