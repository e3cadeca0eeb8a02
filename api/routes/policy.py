"""The institution's policy over HTTP, for admins."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import Field

from api.auth import staff_in
from api.bodies import Body, Out
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.routing import Chapter
from crm.actor import Actor
from crm.identity.permissions import Area
from crm.policy.models import MAX_NOTE, MAX_TEXT

router = Chapter(prefix="/v1/admin/policy", tags=["admin"])

PolicyReader = Annotated[Actor, Depends(staff_in(Area.POLICY))]
PolicyWriter = Annotated[Actor, Depends(staff_in(Area.POLICY, write=True))]
_Version = Annotated[int, Field(ge=0, le=2**31 - 2)]


class PolicyOut(Out):
    """The text that agents are held to; version 0 came with the product."""

    version: int
    text: str
    note: str
    staff_id: UUID | None
    created_at: datetime | None


class VersionOut(Out):
    """One version, without its text."""

    version: int
    note: str
    staff_id: UUID | None
    created_at: datetime | None


class VersionPage(Out):
    """A page of versions, the latest first."""

    items: list[VersionOut]
    next_cursor: str | None


class Difference(Out):
    """The lines of a unified diff; none where nothing differs."""

    lines: list[str]


class NewPolicy(Body):
    """The whole text, in both languages, and why it changes."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    note: Annotated[str, Field(min_length=1, max_length=MAX_NOTE)]
    expected_version: Annotated[_Version, Field(description="`version` of what was read")]


@router.get("", summary="Read the policy")
async def get_policy(staff: PolicyReader, services: ServicesDep) -> PolicyOut:
    """Return the text that agents are held to now."""
    return PolicyOut.model_validate(await services.policy.get(actor=staff))


@router.put("", summary="Change the policy")
async def write_policy(
    body: NewPolicy, staff: PolicyWriter, services: ServicesDep, idempotency: IdempotencyDep
) -> PolicyOut:
    """Replace the text; turns that begin from now on follow it."""
    written = await services.policy.write(
        body.text,
        note=body.note,
        expected_version=body.expected_version,
        actor=staff,
        idempotency=idempotency,
    )
    return PolicyOut.model_validate(written)


@router.get("/versions", summary="List the policy's versions")
async def list_versions(staff: PolicyReader, services: ServicesDep, page: PageDep) -> VersionPage:
    """Return the versions that were written, the latest first."""
    found = await services.policy.list_versions(cursor=page.cursor, limit=page.limit, actor=staff)
    return VersionPage.model_validate(found)


@router.get("/versions/{version}", summary="Read the policy as it stood")
async def get_version(version: _Version, staff: PolicyReader, services: ServicesDep) -> PolicyOut:
    """Return one version."""
    return PolicyOut.model_validate(await services.policy.get(version, actor=staff))


@router.get("/difference", summary="Compare two versions of the policy")
async def compare(
    staff: PolicyReader,
    services: ServicesDep,
    before: Annotated[_Version, Query()],
    after: Annotated[_Version, Query()],
) -> Difference:
    """Return what changed between two versions."""
    return Difference(lines=list(await services.policy.compare(before, after, actor=staff)))
