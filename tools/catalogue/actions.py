"""The tools that suggest to advisors what to do next, and that do it once they agree."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from crm.actor import Role
from crm.pipeline.actions.models import ActionStatus, ProposeAction
from crm.pipeline.models import LeadId
from crm.pipeline.tasks.acts import create_task
from crm.pipeline.tasks.models import CreateTask
from tools.arguments import ToolInput
from tools.outputs import ToolOutput
from tools.phrases import phrase
from tools.spec import Call, Effect, ToolSpec, description_of

_STAFF = frozenset({Role.ADVISOR, Role.ADMIN})
_LEAD = "01990000-0000-7000-8000-000000000000"

#: What an agent suggests by itself; calls that wait for approval get into the queue on their own.
Suggested = Literal["call", "reply", "send_template", "offer_cohort", "chase_document"]


class Proposal(ToolInput):
    """What an advisor might do about a lead."""

    lead_id: UUID
    kind: Suggested
    why: str = Field(pattern=r"^[a-z_]{3,40}$", description="A code, e.g. score_rose.")
    draft: str = Field("", max_length=2_000, description="`{name}` stands for the first name.")
    due_hours: int = Field(24, ge=1, le=24 * 14)


class Proposed(ToolOutput):
    """What was suggested; `withheld` shows it to nobody, to see what suggesting is worth."""

    action_id: UUID
    status: ActionStatus
    priority: int


async def propose_action(call: Call[Proposal]) -> Proposed:
    """Suggest to the lead's advisor what to do next, with a reason and a draft in its language.

    For services. It is refused where the person was reached out to within a week, does not let us
    write, or where the advisor has enough to do.
    """
    now, args = call.uow.clock.now(), call.args
    due_at = now + timedelta(hours=args.due_hours)
    command = ProposeAction(
        kind=args.kind,
        lead_id=LeadId(args.lead_id),
        why=args.why,
        draft=args.draft,
        due_at=due_at,
        expires_at=due_at + timedelta(days=7),
        effect_key=call.effect_key,
    )
    made = await call.services.actions.propose(call.uow, command, actor=call.context.actor)
    return Proposed(action_id=made.id, status=made.status, priority=made.priority)


class PlannedCall(ToolInput):
    """About which lead, by when."""

    lead_id: UUID
    due_at: AwareDatetime


class TaskPlanned(ToolOutput):
    """The task."""

    task_id: UUID
    due_at: datetime


async def plan_task(call: Call[PlannedCall]) -> TaskPlanned:
    """Give the member of staff who asks the task to call the person of a lead.

    For staff only.
    """
    command = CreateTask(
        title=phrase(call.context.locale, "action.call"),
        due_at=max(call.args.due_at, call.uow.clock.now()),
        lead_id=LeadId(call.args.lead_id),
        staff_id=call.context.actor.staff_id,
        effect_key=call.effect_key,
    )
    task = await create_task(call.uow, command, actor=call.context.actor)
    return TaskPlanned(task_id=task.id, due_at=task.due_at)


class LeadMessage(ToolInput):
    """What to write to the person of a lead."""

    lead_id: UUID
    kind: Suggested
    text: str = Field(min_length=1, max_length=2_000)


class LeadWritten(ToolOutput):
    """The message is on its way."""

    status: Literal["queued"] = "queued"


async def write_to_lead(call: Call[LeadMessage]) -> LeadWritten:
    """Write to the person of a lead, by e-mail or SMS, where a recorded basis allows it now.

    For staff only. A reply needs that they wrote; anything else needs their consent and waits for
    the end of quiet hours.
    """
    await call.services.lead_writer.write(
        call.uow,
        LeadId(call.args.lead_id),
        kind=call.args.kind,
        text=call.args.text,
        effect_key=call.effect_key,
        actor=call.context.actor,
    )
    return LeadWritten()


PROPOSE_ACTION = ToolSpec(
    name="propose_action",
    version=1,
    description=description_of(propose_action),
    input=Proposal,
    output=Proposed,
    handler=propose_action,
    effect=Effect.WRITE,
    students=False,
    roles=frozenset({Role.SERVICE}),
    examples=({"lead_id": _LEAD, "kind": "call", "why": "score_rose"},),
)
PLAN_TASK = ToolSpec(
    name="plan_task",
    version=1,
    description=description_of(plan_task),
    input=PlannedCall,
    output=TaskPlanned,
    handler=plan_task,
    effect=Effect.WRITE,
    students=False,
    roles=_STAFF,
    examples=({"lead_id": _LEAD, "due_at": "2027-01-04T15:00:00Z"},),
)
WRITE_TO_LEAD = ToolSpec(
    name="write_to_lead",
    version=1,
    description=description_of(write_to_lead),
    input=LeadMessage,
    output=LeadWritten,
    handler=write_to_lead,
    effect=Effect.OUTBOUND,
    students=False,
    roles=_STAFF,
    approval="advisor",
    summarise=lambda args, locale: phrase(locale, "action.write", text=args.text),
    examples=({"lead_id": _LEAD, "kind": "reply", "text": "Hola {name}, aquí estamos."},),
)
