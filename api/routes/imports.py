"""Imports of CSV files over HTTP, for admins."""

import json
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response, status
from pydantic import BaseModel

from api.auth import staff_in
from api.bodies import Out
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.routing import Chapter
from crm.actor import Actor
from crm.errors import RuleBroken
from crm.identity.permissions import Area
from crm.imports.models import (
    DuplicatePolicy,
    Import,
    ImportId,
    ImportKind,
    ImportStatus,
    StartImport,
)

router = Chapter(prefix="/v1/imports", tags=["imports"])

ImportReader = Annotated[Actor, Depends(staff_in(Area.IMPORTS))]
ImportWriter = Annotated[Actor, Depends(staff_in(Area.IMPORTS, write=True))]

_FILE = {
    "requestBody": {
        "required": True,
        "description": "The file: CSV with a header line, in UTF-8 or Windows-1252",
        "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ImportOut(Out):
    """An import and how far it is; the counts are of lines."""

    id: UUID
    kind: ImportKind
    file_name: str
    size_bytes: int
    columns: dict[str, str]
    duplicates: DuplicatePolicy
    dry_run: bool
    status: ImportStatus
    error_code: str | None
    lines_total: int
    lines_done: int
    created: int
    updated: int
    skipped: int
    failed: int
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: Import) -> "ImportOut":
        """Return an import as the API shows it."""
        return cls.model_validate(row)


class ImportPage(BaseModel):
    """A page of imports."""

    items: list[ImportOut]
    next_cursor: str | None


class LineErrorOut(Out):
    """What is wrong with a line; never what stands in it."""

    line: int
    field: str | None
    code: str
    message: str


class LineErrorPage(BaseModel):
    """A page of what is wrong in a file."""

    items: list[LineErrorOut]
    next_cursor: str | None


async def wanted_columns(
    columns: Annotated[
        str | None,
        Query(
            max_length=4_000,
            description='Field → header in the file, as JSON: `{"email": "Correo"}`; what is not '
            "named is found by its header",
        ),
    ] = None,
) -> dict[str, str]:
    """Return which column the caller wants for which field."""
    if columns is None:
        return {}
    try:
        named = json.loads(columns)
    except ValueError:
        named = None
    if not isinstance(named, dict) or not all(isinstance(v, str) for v in named.values()):
        raise RuleBroken("import.columns", "`columns` is a JSON object of field and header.")
    return named


@router.post("", status_code=status.HTTP_202_ACCEPTED, summary="Import a file", openapi_extra=_FILE)
async def start_import(
    request: Request,
    staff: ImportWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
    kind: ImportKind,
    columns: Annotated[dict[str, str], Depends(wanted_columns)],
    duplicates: Annotated[
        DuplicatePolicy, Query(description="What to do with a line about what is there already")
    ] = "skip",
    dry_run: Annotated[bool, Query(description="Report what would happen; change nothing")] = False,
    file_name: Annotated[str, Query(min_length=1, max_length=200)] = "import.csv",
) -> ImportOut:
    """Take a file and read it in the background; ask for the import to see how far it is."""
    command = StartImport(
        kind=kind, file_name=file_name, columns=columns, duplicates=duplicates, dry_run=dry_run
    )
    row = await services.imports.receive(
        command, request.stream(), actor=staff, idempotency=idempotency
    )
    response.headers["Location"] = f"/v1/imports/{row.id}"
    return ImportOut.of(row)


@router.get("", summary="List imports")
async def list_imports(staff: ImportReader, services: ServicesDep, page: PageDep) -> ImportPage:
    """Return imports, the newest first."""
    found = await services.imports.list(cursor=page.cursor, limit=page.limit, actor=staff)
    return ImportPage(items=[ImportOut.of(r) for r in found.items], next_cursor=found.next_cursor)


@router.get("/{import_id}", summary="See how far an import is")
async def get_import(import_id: UUID, staff: ImportReader, services: ServicesDep) -> ImportOut:
    """Return an import."""
    return ImportOut.of(await services.imports.get(ImportId(import_id), actor=staff))


@router.get("/{import_id}/errors", summary="List what is wrong in a file")
async def list_import_errors(
    import_id: UUID, staff: ImportReader, services: ServicesDep, page: PageDep
) -> LineErrorPage:
    """Return the lines that were not taken, with the reason of each."""
    found = await services.imports.errors(
        ImportId(import_id), cursor=page.cursor, limit=page.limit, actor=staff
    )
    items = [LineErrorOut.model_validate(error) for error in found.items]
    return LineErrorPage(items=items, next_cursor=found.next_cursor)


@router.post("/{import_id}/run", summary="Run a file that was tried")
async def run_import(import_id: UUID, staff: ImportWriter, services: ServicesDep) -> ImportOut:
    """Run for real what a dry run has looked at; repeating it changes nothing."""
    return ImportOut.of(await services.imports.run(ImportId(import_id), actor=staff))


@router.post("/{import_id}/cancel", summary="Stop an import")
async def cancel_import(import_id: UUID, staff: ImportWriter, services: ServicesDep) -> ImportOut:
    """Stop reading; what is in stays in, and the file is deleted."""
    return ImportOut.of(await services.imports.cancel(ImportId(import_id), actor=staff))
