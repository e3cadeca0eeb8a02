"""Runs imports, a batch a transaction; whoever dies in mid-file is followed by another."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from typing import TextIO
from zoneinfo import ZoneInfo

from crm.actor import SERVICE_ACTOR
from crm.clock import day_in
from crm.db import Database, UnitOfWork
from crm.errors import RuleBroken
from crm.ids import INSTITUTION
from crm.imports import store
from crm.imports.events import ImportEnded
from crm.imports.importer import Batch, Importer
from crm.imports.lines import Record, RecordReader, open_text
from crm.imports.models import (
    BATCH,
    CLAIM,
    Import,
    ImportKind,
    Line,
    LineError,
    Outcome,
    choose_columns,
)
from crm.journal.audit import AuditEntry, performed

Progress = Callable[[Import, int], None]
_UNREADABLE = "The line does not have the header's number of cells, or a quote is not closed."


class ImportRunner:
    """Reads files that are due, in any number of processes at once.

    Args:
        time_zone: of the institution; says which day it is.
    """

    def __init__(
        self, database: Database, importers: Mapping[ImportKind, Importer], *, time_zone: str
    ) -> None:
        self._db = database
        self._importers = importers
        self._zone = ZoneInfo(time_zone)

    async def run_next(
        self, *, is_over: Callable[[], bool] = lambda: False, report: Progress | None = None
    ) -> bool:
        """Take up an import and go on with it until it ends.

        Args:
            is_over: asked after each batch; True leaves the rest to the next runner.
            report: told how many lines are done.
        Returns: False when none was due.
        """
        async with self._db.transaction() as uow:
            now = uow.clock.now()
            row = await store.claim_next(uow.conn, at=now, until=now + CLAIM)
        if row is None:
            return False
        try:
            await self._run(row, is_over, report)
        except RuleBroken as broken:
            await self._end(row, "failed", broken.code)
        return True

    async def _run(self, row: Import, is_over: Callable[[], bool], report: Progress | None) -> None:
        async with self._text(row) as text:
            reader = RecordReader(text)
            places = choose_columns(reader.header, self._importers[row.kind].fields, row.columns)
            records = iter(reader)
            await asyncio.to_thread(_skip, records, row.lines_done)
            done = row.lines_done
            while batch := await asyncio.to_thread(lambda: list(islice(records, BATCH))):
                if not await self._write(row, batch, places):
                    return
                done += len(batch)
                if report:
                    report(row, done)
                if is_over():
                    await self._let_go(row)
                    return
        await self._end(row, "done", None)

    @asynccontextmanager
    async def _text(self, row: Import) -> AsyncIterator[TextIO]:
        """Bring the file to this machine's disk: parsing goes back and forth in it."""
        with tempfile.TemporaryFile() as file:
            part = 0
            while True:
                async with self._db.read() as conn:
                    content = await store.select_part(conn, row.id, part)
                if content is None:
                    break
                await asyncio.to_thread(file.write, content)
                part += 1
            with await asyncio.to_thread(open_text, file) as text:
                yield text

    async def _write(self, row: Import, records: list[Record], places: Mapping[str, int]) -> bool:
        """Write a batch with its progress; False when this runner has lost the import."""
        try:
            async with self._db.transaction() as uow:
                outcome = await self._outcome(uow, row, records, places)
                await _advance(uow, row, outcome, len(records))
                await store.insert_errors(uow.conn, row.id, outcome.errors)
                if row.dry_run:
                    await store.insert_met(uow.conn, row.id, outcome.met)
                else:
                    uow.audit(_record(row, records, outcome))
        except _Lost:
            return False
        return True

    async def _outcome(
        self, uow: UnitOfWork, row: Import, records: list[Record], places: Mapping[str, int]
    ) -> Outcome:
        readable = [
            _line(record.number, record.cells, places) for record in records if record.cells
        ]
        batch = Batch(
            import_id=row.id,
            lines=readable,
            duplicates=row.duplicates,
            is_trial=row.dry_run,
            actor=SERVICE_ACTOR,
            today=day_in(self._zone, uow.clock.now()),
        )
        importer = self._importers[row.kind]
        if row.dry_run:
            outcome = await self._try(uow, importer, batch)
        else:
            outcome = await importer.write(uow, batch)
        broken = [
            LineError(r.number, None, "import.line", _UNREADABLE) for r in records if not r.cells
        ]
        outcome.errors.extend(broken)
        return outcome

    async def _try(self, uow: UnitOfWork, importer: Importer, batch: Batch) -> Outcome:
        """Write a batch and take it back: what would have happened is what happened."""
        async with uow.conn.transaction(force_rollback=True):
            # Its own unit of work is never flushed, so that its events are taken back, too.
            return await importer.write(UnitOfWork(uow.conn, uow.clock, self._db.vault), batch)

    async def _let_go(self, row: Import) -> None:
        async with self._db.transaction() as uow:
            await store.release(uow.conn, row)

    async def _end(self, row: Import, status: str, error_code: str | None) -> None:
        async with self._db.transaction() as uow:
            if not await store.end_import(
                uow.conn, row, status=status, error_code=error_code, at=uow.clock.now()
            ):
                return
            if not row.dry_run:
                await store.forget_file(uow.conn, row.id)
            uow.publish(ImportEnded(import_id=row.id, status=status))


class _Lost(Exception):
    """Somebody else runs the import, or stopped it."""


async def _advance(uow: UnitOfWork, row: Import, outcome: Outcome, lines: int) -> None:
    until = uow.clock.now() + CLAIM
    if not await store.advance(uow.conn, row, outcome, lines=lines, until=until):
        raise _Lost


def _skip(records: Iterator[Record], count: int) -> None:
    for _ in islice(records, count):
        pass


def _line(number: int, cells: list[str], places: Mapping[str, int]) -> Line:
    return Line(number, {name: _clean(cells[place]) for name, place in places.items()})


def _clean(cell: str) -> str:
    """Return a cell without the characters that no database column holds."""
    return cell.replace("\x00", "").strip()


def _record(row: Import, records: list[Record], outcome: Outcome) -> AuditEntry:
    return performed(
        SERVICE_ACTOR,
        f"import.{row.kind}",
        payload={
            "first_line": records[0].number,
            "last_line": records[-1].number,
            "created": outcome.created,
            "updated": outcome.updated,
            "skipped": outcome.skipped,
            "failed": len(outcome.errors),
        },
        about=INSTITUTION,
        chain_id=row.id,
        chain_kind="batch",
    )
