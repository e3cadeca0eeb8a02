"""What routes ask for: the services, who calls, a page, an idempotency key."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Query, Request

from api.auth import current_staff, staff_in, staff_token
from api.chat_session import ServicesDep
from crm.actor import Actor
from crm.identity.permissions import Area
from crm.journal.idempotency import IdempotencyKey
from crm.paging import MAX_PAGE

__all__ = [
    "AuditReader",
    "CurrentStaff",
    "Eraser",
    "IdempotencyDep",
    "PageDep",
    "PeopleReader",
    "PeopleWriter",
    "RequireAdmin",
    "RequireAdvisor",
    "RunReader",
    "ServicesDep",
    "StaffToken",
]

StaffToken = Annotated[str, Depends(staff_token)]
CurrentStaff = Annotated[Actor, Depends(current_staff)]
PeopleReader = Annotated[Actor, Depends(staff_in(Area.PEOPLE))]
PeopleWriter = Annotated[Actor, Depends(staff_in(Area.PEOPLE, write=True))]
AuditReader = Annotated[Actor, Depends(staff_in(Area.AUDIT))]
Eraser = Annotated[Actor, Depends(staff_in(Area.ERASURE, write=True))]
RunReader = Annotated[Actor, Depends(staff_in(Area.RUNS))]
#: Somebody who answers students: advisors and admins.
RequireAdvisor = Annotated[Actor, Depends(staff_in(Area.CONVERSATIONS, write=True))]
#: Somebody who runs the house.
RequireAdmin = Annotated[Actor, Depends(staff_in(Area.STAFF, write=True))]


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page of a list."""

    cursor: str | None
    limit: int


async def page_query(
    cursor: Annotated[
        str | None, Query(max_length=500, description="`next_cursor` of the page before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> PageQuery:
    """Return which page is asked for."""
    return PageQuery(cursor, limit)


async def idempotency_key(
    request: Request,
    staff: CurrentStaff,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="Repeating the same call with the same key changes nothing more",
        ),
    ] = None,
) -> IdempotencyKey | None:
    """Return the caller's key, unique to them and to what they call."""
    if key is None:
        return None
    scope = f"http:{staff.staff_id}:{request.method} {request.url.path}"
    return IdempotencyKey(scope, key, staff.subject_id)


PageDep = Annotated[PageQuery, Depends(page_query)]
IdempotencyDep = Annotated[IdempotencyKey | None, Depends(idempotency_key)]
