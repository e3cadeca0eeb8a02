"""Writes audit records out, page by page, as JSON lines or as CSV with the payload last."""

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from typing import Literal

from crm.journal.audit import AUDIT_COLUMNS, canonical
from crm.journal.service import AuditRecord, JournalService
from crm.paging import MAX_PAGE

Format = Literal["jsonl", "csv"]
MEDIA_TYPES: Mapping[Format, str] = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


async def export_lines(
    journal: JournalService, filters: Mapping[str, object], form: Format
) -> AsyncIterator[str]:
    """Yield the records that match, newest first, holding one page in memory."""
    if form == "csv":
        yield _csv_line([*AUDIT_COLUMNS, "payload"])
    write = _csv_record if form == "csv" else _json_record
    cursor: str | None = None
    while True:
        page = await journal.list_audit_events(filters, cursor=cursor, limit=MAX_PAGE)
        yield "".join(map(write, page.items))
        cursor = page.next_cursor
        if cursor is None:
            return


def _json_record(record: AuditRecord) -> str:
    return canonical({**record.header, "payload": dict(record.payload)}).decode() + "\n"


def _csv_record(record: AuditRecord) -> str:
    header = json.loads(canonical(record.header))
    payload = canonical(dict(record.payload)).decode()
    return _csv_line([*(header.get(name) for name in AUDIT_COLUMNS), payload])


def _csv_line(cells: list[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(["" if cell is None else cell for cell in cells])
    return text.getvalue()
