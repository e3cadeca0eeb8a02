"""The institution's calendar over HTTP, for staff."""

from typing import Annotated

from fastapi import Depends
from pydantic import Field

from api.auth import staff_in
from api.bodies import Body
from api.dependencies import RequireAdmin, ServicesDep
from api.moments import Day
from api.routing import Chapter
from crm.actor import Actor
from crm.business_hours import BusinessCalendar, read_week, write_week
from crm.identity.permissions import Area

router = Chapter(prefix="/v1/calendar", tags=["calendar"])


class Calendar(Body):
    """When the institution works; deadlines are counted in these hours."""

    time_zone: Annotated[str, Field(max_length=64, description="IANA name")]
    week: Annotated[
        str,
        Field(max_length=400, description="E.g. `mon-fri 09:00-18:00, sat 09:00-13:00`"),
    ]
    holidays: Annotated[list[Day], Field(max_length=1_000)]


@router.get("", summary="Read the institution's calendar")
async def get_calendar(
    staff: Annotated[Actor, Depends(staff_in(Area.PIPELINE))], services: ServicesDep
) -> Calendar:
    """Return when the institution works."""
    return _out(await services.sla.get_calendar(actor=staff))


@router.put("", summary="Change the institution's calendar")
async def set_calendar(body: Calendar, admin: RequireAdmin, services: ServicesDep) -> Calendar:
    """Change when the institution works, for clocks that start or resume from now on."""
    calendar = BusinessCalendar(body.time_zone, read_week(body.week), frozenset(body.holidays))
    return _out(await services.sla.set_calendar(calendar, actor=admin))


def _out(calendar: BusinessCalendar) -> Calendar:
    return Calendar(
        time_zone=calendar.time_zone,
        week=write_week(calendar.week),
        holidays=sorted(calendar.holidays),
    )
