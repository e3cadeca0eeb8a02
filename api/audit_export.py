"""Writes audit records out, page by page, as JSON lines or as CSV."""

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from typing import Literal

from crm.journal.audit import canonical
from crm.journal.service import AuditRecord, JournalService
from crm.paging import MAX_PAGE

Format = Literal["jsonl", "csv"]
MEDIA_TYPES: Mapping[Format, str] = {"jsonl": "application/x-ndjson", "csv": "text/csv"}

#: The columns of the CSV, in this order; the payload comes last, as JSON.
COLUMNS = (
    "id",
    "chain_id",
    "seq",
    "occurred_at",
    "actor_kind",
    "actor_level",
    "actor_role",
    "staff_id",
    "person_id",
    "subject_id",
    "agent",
    "model",
    "prompt_version",
    "action",
    "action_version",
    "effect",
    "outcome",
    "decision",
    "error_code",
    "conversation_id",
    "run_id",
    "step",
    "call_index",
    "approval_id",
    "effect_key",
    "arguments_digest",
    "tokens_in",
    "tokens_out",
    "cost_micros",
    "latency_ms",
    "prev_hash",
    "hash",
)


async def export_lines(
    journal: JournalService, filters: Mapping[str, object], form: Format
) -> AsyncIterator[str]:
    """Yield the records that match, newest first, holding one page in memory."""
    if form == "csv":
        yield _csv_line([*COLUMNS, "payload"])
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
    return _csv_line([*(header.get(name) for name in COLUMNS), payload])


def _csv_line(cells: list[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(["" if cell is None else cell for cell in cells])
    return text.getvalue()
