"""What advisors might do next, over HTTP: list, edit, accept, dismiss, snooze."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import Field

from api.actions import accept_action
from api.auth import staff_in
from api.bodies import Body, Out
from api.dependencies import PageDep, ServicesDep
from api.moments import Moment
from api.routing import Chapter
from crm.actor import Actor
from crm.identity.permissions import Area
from crm.people.models import Locale
from crm.pipeline.actions.models import (
    MAX_DRAFT,
    ActionId,
    ActionKind,
    ActionStatus,
    DismissReason,
    NextAction,
)
from crm.pipeline.scoring.features import default_features

router = Chapter(prefix="/v1/advisor/actions", tags=["advisor"])

ActionReader = Annotated[Actor, Depends(staff_in(Area.PIPELINE))]
#: Only people decide: a service has its own tools.
ActionDecider = Annotated[Actor, Depends(staff_in(Area.CONVERSATIONS, write=True))]
_Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


class ReasonOut(Out):
    """A fact behind a suggestion, with its points in the score of that moment."""

    feature: str
    title: str
    points: int


class ActionOut(Out):
    """A suggestion; `draft` has `{name}` where the person's first name will be."""

    id: UUID
    kind: ActionKind
    person_id: UUID
    lead_id: UUID | None
    staff_id: UUID | None
    why: str
    reasons: list[ReasonOut]
    language: Locale
    draft: str
    tool: str
    priority: int
    status: ActionStatus
    due_at: datetime
    expires_at: datetime
    snoozed_until: datetime | None
    dismiss_reason: DismissReason | None
    version: int
    created_at: datetime
    decided_at: datetime | None


class ActionPage(Out):
    """A page of suggestions, the most worth first."""

    items: list[ActionOut]
    next_cursor: str | None


class Draft(Body):
    """Another draft, by whoever saw `expected_version`."""

    draft: str = Field(max_length=MAX_DRAFT)
    expected_version: _Version


class Acceptance(Body):
    """What is accepted is what was seen."""

    expected_version: _Version | None = None


class Dismissal(Body):
    """Why it is turned down; that is what suggestions learn from."""

    reason: DismissReason


class Snooze(Body):
    """When to come back."""

    until: Moment


@router.get("", summary="List what to do next")
async def list_actions(
    staff: ActionReader,
    services: ServicesDep,
    page: PageDep,
    kind: ActionKind | None = None,
    language: Annotated[Locale, Query(description="Of the reasons")] = "en",
) -> ActionPage:
    """Return what is open now: an advisor's own and nobody's; an admin sees everybody's."""
    found = await services.actions.list_actions(
        kind=kind, cursor=page.cursor, limit=page.limit, actor=staff
    )
    items = [_out(action, language) for action in found.items]
    return ActionPage(items=items, next_cursor=found.next_cursor)


@router.patch("/{action_id}", summary="Edit a draft")
async def edit_action(
    action_id: UUID, body: Draft, staff: ActionDecider, services: ServicesDep
) -> ActionOut:
    """Give an open suggestion another draft, if nobody else changed it meanwhile."""
    action = await services.actions.edit(
        ActionId(action_id), body.draft, expected_version=body.expected_version, actor=staff
    )
    return _out(action)


@router.post("/{action_id}/accept", summary="Accept a suggestion")
async def accept(
    action_id: UUID, body: Acceptance, staff: ActionDecider, services: ServicesDep
) -> ActionOut:
    """Do what is suggested, under the caller's name and exactly once."""
    action = await accept_action(
        services, ActionId(action_id), expected_version=body.expected_version, actor=staff
    )
    return _out(action)


@router.post("/{action_id}/dismiss", summary="Dismiss a suggestion")
async def dismiss(
    action_id: UUID, body: Dismissal, staff: ActionDecider, services: ServicesDep
) -> ActionOut:
    """Turn a suggestion down, with a reason."""
    return _out(await services.actions.dismiss(ActionId(action_id), body.reason, actor=staff))


@router.post("/{action_id}/snooze", summary="Put a suggestion off")
async def snooze(
    action_id: UUID, body: Snooze, staff: ActionDecider, services: ServicesDep
) -> ActionOut:
    """Hide a suggestion until a moment within the next 30 days."""
    return _out(await services.actions.snooze(ActionId(action_id), body.until, actor=staff))


def _out(action: NextAction, language: Locale = "en") -> ActionOut:
    features = default_features()
    known = [reason for reason in action.reasons if reason.feature in features.names]
    reasons = [
        ReasonOut(
            feature=reason.feature,
            title=features[reason.feature].title[language],
            points=reason.points,
        )
        for reason in known
    ]
    fields = {name: getattr(action, name) for name in ActionOut.model_fields if name != "reasons"}
    return ActionOut(**fields, reasons=reasons)
