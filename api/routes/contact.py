"""How a person may be reached, and who has read their record, over HTTP."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.bodies import Out
from api.dependencies import (
    AuditReader,
    IdempotencyDep,
    PageDep,
    PeopleReader,
    PeopleWriter,
    ServicesDep,
)
from api.routing import Chapter
from crm.ids import PersonId
from crm.people.contact.models import ContactPreferences
from crm.people.models import ConsentChannel

router = Chapter(prefix="/v1/people/{person_id}", tags=["people"])


class PreferencesBody(BaseModel):
    """How a person wishes to be reached."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    preferred_channel: ConsentChannel | None = None
    opted_out: Annotated[
        list[ConsentChannel],
        Field(
            max_length=5,
            description="Channels on which they want nothing but security codes and what their "
            "contracts require",
        ),
    ] = []


class AccessOut(Out):
    """That somebody was shown the person's record."""

    at: datetime
    actor_kind: Literal["student", "staff", "service"]
    actor_role: str | None
    staff_id: UUID | None
    staff_name: str | None
    agent: str | None
    action: str
    audit_id: UUID


class AccessPage(BaseModel):
    """A page of the access log, the latest first."""

    items: list[AccessOut]
    next_cursor: str | None


@router.get("/preferences", summary="Read contact preferences")
async def get_preferences(
    person_id: UUID, staff: PeopleReader, services: ServicesDep
) -> PreferencesBody:
    """Return how a person wishes to be reached; the reading is audited."""
    found = await services.preferences.get_preferences(PersonId(person_id), actor=staff)
    return _wire(found)


@router.put("/preferences", summary="Set contact preferences")
async def set_preferences(
    person_id: UUID,
    body: PreferencesBody,
    staff: PeopleWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> PreferencesBody:
    """Replace how a person wishes to be reached; what is queued on a refused channel is stopped."""
    wished = ContactPreferences(body.preferred_channel, frozenset(body.opted_out))
    kept = await services.preferences.set_preferences(
        PersonId(person_id), wished, actor=staff, idempotency=idempotency
    )
    return _wire(kept)


def _wire(preferences: ContactPreferences) -> PreferencesBody:
    return PreferencesBody(
        preferred_channel=preferences.preferred_channel, opted_out=sorted(preferences.opted_out)
    )


@router.get("/accesses", summary="Read the access log")
async def list_accesses(
    person_id: UUID, staff: AuditReader, services: ServicesDep, page: PageDep
) -> AccessPage:
    """Return who was shown this person's record, the latest first; the reading is audited."""
    found = await services.accesses.list_accesses(
        PersonId(person_id), cursor=page.cursor, limit=page.limit, actor=staff
    )
    items = [AccessOut.model_validate(access) for access in found.items]
    return AccessPage(items=items, next_cursor=found.next_cursor)
