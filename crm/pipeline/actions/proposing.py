"""Use cases of what gets into the queue: suggestions, and calls that wait for approval."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta

from crm.actor import Actor
from crm.db import Database, UnitOfWork
from crm.errors import NotFound, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import PersonId, new_id
from crm.people import store as people
from crm.people.authority import check_active
from crm.people.models import Locale
from crm.people.standing import require_active
from crm.pipeline.actions import models, store
from crm.pipeline.actions.events import ActionProposed
from crm.pipeline.actions.models import ActionId, Asked, NextAction, ProposeAction, Reason
from crm.pipeline.actions.store import LeadToAct
from crm.pipeline.models import is_open
from crm.pipeline.scoring.service import ScoringService

#: What a lead is worth that named nothing yet, in minor units: about a short course.
_USUAL_VALUE = 50_000
#: A student waits; after a week silence is a refusal.
APPROVAL_DUE, APPROVAL_LIFE = timedelta(days=1), timedelta(days=7)


class Proposing:
    """Puts into the queue what advisors decide on."""

    def __init__(self, database: Database, scoring: ScoringService) -> None:
        self._db = database
        self._scoring = scoring

    async def propose(self, uow: UnitOfWork, command: ProposeAction, *, actor: Actor) -> NextAction:
        """Suggest something about a lead, or withhold it where its person is held out.

        Raises:
            RuleBroken("action.frequency" | "action.capacity" | "action.consent" |
                "action.closed" | "action.draft" | "action.times" | "person.inactive").
            NotFound("lead.unknown"); Denied("auth.role").
        """
        require(actor, Area.PIPELINE, write=True)
        if before := await store.select_by_key(uow.conn, command.effect_key):
            return before
        lead = await self._check(uow, command)
        action = await self._made(uow, command, lead)
        await store.insert_action(uow.conn, action)
        withheld = action.status == "withheld"
        uow.publish(
            ActionProposed(
                action_id=action.id,
                person_id=action.person_id,
                kind=action.kind,
                withheld=withheld,
            )
        )
        return action

    async def find(self, uow: UnitOfWork, effect_key: str) -> NextAction | None:
        """Return what a key was suggested or kept as before, if it was."""
        return await store.select_by_key(uow.conn, effect_key)

    async def hold(
        self,
        uow: UnitOfWork,
        asked: Asked,
        *,
        tool: str,
        arguments: Mapping[str, object],
        language: Locale,
        effect_key: str,
    ) -> NextAction:
        """Keep a call until an advisor agrees to it.

        Raises: NotFound("person.unknown"); RuleBroken("person.inactive").
        """
        person_id, now = PersonId(asked.person_id), uow.clock.now()
        await require_active(uow, person_id)
        action = NextAction(
            id=ActionId(new_id()),
            effect_key=effect_key,
            kind="approve",
            person_id=person_id,
            why="approval_asked",
            language=language,
            draft=asked.summary,
            tool=tool,
            arguments=arguments,
            asked=asked,
            frozen_hash=models.hash_call(tool, arguments, asked.summary, asked),
            # Whoever waits for an answer comes before whom nobody has asked yet.
            priority=models.priority_of(
                "approve", score=100, value_minor=abs(asked.price_minor or _USUAL_VALUE)
            ),
            due_at=now + APPROVAL_DUE,
            expires_at=now + APPROVAL_LIFE,
            created_at=now,
        )
        await store.insert_action(uow.conn, action)
        told = ActionProposed(
            action_id=action.id, person_id=person_id, kind="approve", withheld=False
        )
        uow.publish(told)
        return action

    async def _check(self, uow: UnitOfWork, command: ProposeAction) -> LeadToAct:
        now, kind = uow.clock.now(), command.kind
        models.check_draft(kind, command.draft)
        models.check_times(command.due_at, command.expires_at, now)
        lead = await store.select_lead(uow.conn, command.lead_id)
        if lead is None:
            raise NotFound("lead.unknown", "There is no such lead.")
        check_active(lead.person_status)  # type: ignore[arg-type]
        if not is_open(lead.stage):
            raise RuleBroken("action.closed", "This lead is closed.")
        models.check_room(
            kind,
            open_of_staff=await store.count_open(uow.conn, lead.staff_id, now=now),
            reached_since_rest=await store.count_reached(
                uow.conn, lead.person_id, kinds=sorted(models.PROACTIVE), since=now - models.REST
            ),
        )
        unasked = kind in models.PROACTIVE and kind in models.WRITTEN
        if unasked and not await _may_write(uow, lead.person_id):
            raise RuleBroken("action.consent", "This person does not let us write unasked.")
        return lead

    async def _made(self, uow: UnitOfWork, command: ProposeAction, lead: LeadToAct) -> NextAction:
        told = await self._scoring.explain_within(uow, command.lead_id)
        parts = [Reason(part.feature, part.points) for part in told.contributions] if told else []
        draft = models.check_draft(command.kind, command.draft)
        tool, arguments = call_of(command, draft)
        held_out = command.kind in models.PROACTIVE and models.is_held_out(lead.person_id)
        value = lead.value_minor or _USUAL_VALUE
        return NextAction(
            **{n: v for n, v in asdict(command).items() if n != "draft"},
            id=ActionId(new_id()),
            person_id=lead.person_id,
            staff_id=lead.staff_id,
            reasons=models.strongest(parts),
            language=lead.language,
            draft=draft,
            tool=tool,
            arguments=arguments,
            frozen_hash=models.hash_call(tool, arguments, draft),
            priority=models.priority_of(
                command.kind, score=told.score if told else 0, value_minor=value
            ),
            status="withheld" if held_out else "open",
            created_at=uow.clock.now(),
        )


async def _may_write(uow: UnitOfWork, person_id: PersonId) -> bool:
    """Return whether a person lets us write to them unasked, by any channel."""
    consents = await people.select_current_consents(uow.conn, person_id)
    return any(c.granted for c in consents if c.purpose == "marketing")


def call_of(command: ProposeAction, draft: str) -> tuple[str, dict[str, object]]:
    """Return the tool that accepting calls, with its arguments."""
    lead_id = str(command.lead_id)
    if command.kind in models.WRITTEN:
        return "write_to_lead", {"lead_id": lead_id, "kind": command.kind, "text": draft}
    return "plan_task", {"lead_id": lead_id, "due_at": command.due_at.isoformat()}
