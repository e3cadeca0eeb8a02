"""Carries out what an advisor accepts: by its tool, under the advisor's name, exactly once."""

from typing import TYPE_CHECKING

from crm.actor import Actor, AgentIdentity, IdentityLevel
from crm.db import UnitOfWork
from crm.errors import Conflict, Denied, OrientaError, RuleBroken, Unavailable
from crm.ids import PersonId, SubjectId
from crm.pipeline.actions.models import ActionId, Asked, NextAction
from tools.approvals import ApprovedCall
from tools.context import ToolContext
from tools.results import Ok, Refused

if TYPE_CHECKING:
    from api.bootstrap import Services

#: What the queue itself refuses for; the rest are rules of what was to be done.
_KINDS: dict[str, type[OrientaError]] = {
    "action.anothers": Denied,
    **dict.fromkeys(
        ("action.decided", "action.expired", "action.stale", "action.changed"), Conflict
    ),
}


async def accept_action(
    services: "Services", action_id: ActionId, *, expected_version: int | None, actor: Actor
) -> NextAction:
    """Accept a suggestion and do it, in one transaction; again it is answered as the first time.

    Raises: as `ActionService.accept_within`; RuleBroken: what the tool refuses for; Unavailable:
        what it failed for. The suggestion stays open then.
    """
    action = await services.actions.get_action(action_id, actor=actor)

    async def accept(uow: UnitOfWork) -> None:
        await services.actions.accept_within(
            uow, action_id, expected_version=expected_version, actor=actor
        )

    asked = action.asked
    context = ToolContext(
        actor=_whoever_asked(asked) if asked else actor,
        locale=action.language,
        conversation_id=asked.conversation_id if asked else None,
        fence=accept,
    )
    call = ApprovedCall(
        id=action_id, tool=action.tool, arguments=action.arguments, approver=actor, asked=asked
    )
    result = await services.runner.execute_approved(context, call)
    if isinstance(result, Refused):
        kind = _KINDS.get(result.code, RuleBroken)
        raise kind(result.code, result.message)
    if not isinstance(result, Ok):
        raise Unavailable("action.failed", "This could not be done; try again.")
    return await services.actions.get_action(action_id, actor=actor)


def _whoever_asked(asked: Asked) -> Actor:
    """Return the student for whom a call is made, as they were known when they asked."""
    return Actor(
        subject_id=SubjectId(asked.subject_id),
        level=IdentityLevel(asked.level),
        person_id=PersonId(asked.person_id),
        agent=AgentIdentity(*asked.agent) if asked.agent else None,
    )
