"""Exports as CSV files, streamed, for admins."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from fastapi.responses import StreamingResponse

from api.auth import staff_in
from api.dependencies import ServicesDep
from api.routing import Chapter
from crm.actor import Actor
from crm.exports.service import ExportKind
from crm.identity.permissions import Area

router = Chapter(prefix="/v1/exports", tags=["imports"])


@router.get(
    "/{kind}",
    summary="Export everything of a kind",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}, "description": "A CSV file with a header line"}},
)
async def export_all(
    kind: ExportKind,
    staff: Annotated[Actor, Depends(staff_in(Area.IMPORTS))],
    services: ServicesDep,
) -> StreamingResponse:
    """Stream a file in the columns that an import reads back; who took it is noted."""
    services.exports.check(kind, actor=staff)
    return StreamingResponse(
        _lines(services.exports.stream(kind, actor=staff)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{kind}.csv"'},
    )


async def _lines(stretches: AsyncIterator[list[list[str]]]) -> AsyncIterator[str]:
    yield "\ufeff"  # spreadsheets take a file without it for Windows-1252
    async for rows in stretches:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        yield text.getvalue()
