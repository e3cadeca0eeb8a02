"""What happened with a person, over HTTP, for staff."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from api.auth import staff_in
from api.dependencies import PageDep, ServicesDep
from api.routes.lead_bodies import ActivityOut, ActivityPage
from api.routing import Chapter
from crm.actor import Actor
from crm.identity.permissions import Area
from crm.ids import PersonId

router = Chapter(prefix="/v1/people", tags=["people"])


@router.get("/{person_id}/timeline", summary="Read a person's timeline")
async def person_timeline(
    person_id: UUID,
    staff: Annotated[Actor, Depends(staff_in(Area.PIPELINE))],
    services: ServicesDep,
    page: PageDep,
) -> ActivityPage:
    """Return what happened with a person, the latest first; the reading is audited."""
    found = await services.pipeline.person_timeline(
        PersonId(person_id), cursor=page.cursor, limit=page.limit, actor=staff
    )
    items = [ActivityOut.model_validate(activity) for activity in found.items]
    return ActivityPage(items=items, next_cursor=found.next_cursor)
