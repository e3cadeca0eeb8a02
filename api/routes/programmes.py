"""Programmes over HTTP, for staff."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel

from api.bodies import MoneyOut, Out
from api.dependencies import PageDep, ServicesDep
from api.routes.courses import CatalogueReader, TextOut
from api.routing import Chapter
from crm.courses.models import ProgrammeLevel

router = Chapter(prefix="/v1/programmes", tags=["courses"])


class ProgrammeOut(Out):
    """A programme; its courses are in the order they are taken."""

    code: str
    area: str
    level: ProgrammeLevel
    title: TextOut
    summary: TextOut
    admission: TextOut
    duration_months: int
    credits: int
    fee: MoneyOut
    active: bool
    course_codes: list[str]


class ProgrammePage(BaseModel):
    """A page of programmes."""

    items: list[ProgrammeOut]
    next_cursor: str | None


@router.get("", summary="List programmes")
async def list_programmes(
    staff: CatalogueReader,
    services: ServicesDep,
    page: PageDep,
    area: Annotated[str | None, Query(max_length=40)] = None,
) -> ProgrammePage:
    """Return active programmes by code."""
    found = await services.courses.list_programmes(area=area, cursor=page.cursor, limit=page.limit)
    items = [ProgrammeOut.model_validate(programme) for programme in found.items]
    return ProgrammePage(items=items, next_cursor=found.next_cursor)


@router.get("/{code}", summary="Read a programme")
async def get_programme(
    code: Annotated[str, Path(max_length=40)], staff: CatalogueReader, services: ServicesDep
) -> ProgrammeOut:
    """Return a programme."""
    return ProgrammeOut.model_validate(await services.courses.get_programme(code))
