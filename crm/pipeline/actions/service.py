"""Use cases of next actions: suggest, list, edit, accept, dismiss, snooze."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from crm.actor import Actor, Role
from crm.db import Database, UnitOfWork
from crm.errors import Conflict, NotFound, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import PersonId, StaffId, new_id
from crm.journal.audit import performed, shown
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.authority import audits_reads, check_active
from crm.people.models import Locale
from crm.people.standing import require_active
from crm.pipeline.actions import models, store
from crm.pipeline.actions.events import ActionDecided, ActionProposed
from crm.pipeline.actions.models import (
    ActionId,
    ActionKind,
    Asked,
    DismissReason,
    NextAction,
    ProposeAction,
    Reason,
)
from crm.pipeline.actions.store import LeadToAct
from crm.pipeline.models import is_open
from crm.pipeline.scoring.service import ScoringService

#: What a lead is worth that named nothing yet, in minor units: about a short course.
_USUAL_VALUE = 50_000
#: A student waits; after a week silence is a refusal.
APPROVAL_DUE, APPROVAL_LIFE = timedelta(days=1), timedelta(days=7)


class ActionService:
    """The advisors' queue of suggestions."""

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
            lead_id=None,
            staff_id=None,
            why="approval_asked",
            reasons=(),
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
            status="open",
            due_at=now + APPROVAL_DUE,
            expires_at=now + APPROVAL_LIFE,
            snoozed_until=None,
            dismiss_reason=None,
            version=1,
            created_at=now,
            decided_at=None,
            decided_by=None,
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
        if unasked and not await store.has_consent(uow.conn, lead.person_id):
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
            asked=None,
            frozen_hash=models.hash_call(tool, arguments, draft),
            priority=models.priority_of(
                command.kind, score=told.score if told else 0, value_minor=value
            ),
            status="withheld" if held_out else "open",
            snoozed_until=None,
            dismiss_reason=None,
            version=1,
            created_at=uow.clock.now(),
            decided_at=None,
            decided_by=None,
        )

    async def list_actions(
        self,
        *,
        kind: ActionKind | None = None,
        cursor: str | None = None,
        limit: int = 50,
        actor: Actor,
    ) -> Page[NextAction]:
        """Return what is open now, the most worth first; the reading is audited.

        An advisor sees their own and nobody's, an admin everybody's.

        Raises: RuleBroken("page.cursor"); Denied("auth.role").
        """
        require(actor, Area.PIPELINE)
        after = decode_cursor(cursor, int, UUID)
        async with self._db.audited_read() as uow:
            rows = await store.select_queue(
                uow.conn,
                now=uow.clock.now(),
                staff_id=_bound_to(actor),
                kind=kind,
                after=after,
                limit=limit + 1,
            )
            page = page_of(rows, limit, lambda action: encode_cursor(action.priority, action.id))
            if audits_reads(actor):
                people = [action.person_id for action in page.items]
                uow.audit(shown(actor, "action.list", people))
        return page

    async def get_action(self, action_id: ActionId, *, actor: Actor) -> NextAction:
        """Return a suggestion; the reading is audited.

        Raises: NotFound("action.unknown"); Denied("auth.role").
        """
        require(actor, Area.PIPELINE)
        async with self._db.audited_read() as uow:
            action = await _find(uow, action_id)
            if audits_reads(actor):
                uow.audit(shown(actor, "action.read", [action.person_id], action_id=action_id))
        return action

    async def edit(
        self, action_id: ActionId, draft: str, *, expected_version: int, actor: Actor
    ) -> NextAction:
        """Give an open suggestion another draft, if nobody else changed it meanwhile.

        Raises: as `models.check_decidable`; RuleBroken("action.draft"); Denied("auth.role").
        """
        require(actor, Area.PIPELINE, write=True)
        async with self._db.transaction() as uow:
            before = await self._lock(uow, action_id, actor, expected_version)
            if before.asked is not None:
                raise RuleBroken("action.approval", "What was asked for is agreed to as it is.")
            text = models.check_draft(before.kind, draft)
            arguments = dict(before.arguments)
            if "text" in arguments:
                arguments["text"] = text
            changes = {
                "draft": text,
                "arguments": arguments,
                "frozen_hash": models.hash_call(before.tool, arguments, text),
            }
            after = await store.update_action(uow.conn, action_id, changes)
            uow.audit(
                performed(
                    actor,
                    "action.edit",
                    about=after.person_id,
                    payload={"action_id": action_id, "draft": [before.draft, text]},
                )
            )
        return after

    async def accept_within(
        self, uow: UnitOfWork, action_id: ActionId, *, expected_version: int | None, actor: Actor
    ) -> None:
        """Accept in the transaction of the call that carries it out; again it changes nothing.

        Raises: as `models.check_decidable`; Denied("auth.role").
        """
        require(actor, Area.PIPELINE, write=True)
        before = await _find(uow, action_id, lock=True)
        if before.status == "accepted" and before.decided_by == actor.staff_id:
            return  # the call has its key: it is answered as the first was
        await self._decide(uow, before, "accepted", actor, expected_version, {})

    async def dismiss(
        self, action_id: ActionId, reason: DismissReason, *, actor: Actor
    ) -> NextAction:
        """Turn a suggestion down; again it changes nothing.

        Raises: as `models.check_decidable`; Denied("auth.role").
        """
        require(actor, Area.PIPELINE, write=True)
        async with self._db.transaction() as uow:
            before = await _find(uow, action_id, lock=True)
            if before.status == "dismissed":
                return before
            changes = {"dismiss_reason": reason}
            return await self._decide(uow, before, "dismissed", actor, None, changes)

    async def snooze(self, action_id: ActionId, until: datetime, *, actor: Actor) -> NextAction:
        """Put a suggestion off; it comes back by itself.

        Raises: as `models.check_decidable`; RuleBroken("action.snooze"); Denied("auth.role").
        """
        require(actor, Area.PIPELINE, write=True)
        now = self._db.clock.now()
        if not now < until <= now + models.LONGEST_SNOOZE:
            raise RuleBroken("action.snooze", "Name a moment within the next 30 days.")
        async with self._db.transaction() as uow:
            before = await self._lock(uow, action_id, actor, None)
            if before.snoozed_until == until:
                return before
            # Whoever puts it off still wants to see it.
            expires_at = max(before.expires_at, until + timedelta(days=1))
            after = await store.update_action(
                uow.conn, action_id, {"snoozed_until": until, "expires_at": expires_at}
            )
            payload = {"action_id": action_id, "until": until}
            uow.audit(performed(actor, "action.snooze", about=after.person_id, payload=payload))
        return after

    async def expire_due(self, *, limit: int = 500) -> int:
        """Close suggestions whose time is over; returns how many."""
        async with self._db.transaction() as uow:
            return await store.expire(uow.conn, at=uow.clock.now(), limit=limit)

    async def _lock(
        self, uow: UnitOfWork, action_id: ActionId, actor: Actor, expected_version: int | None
    ) -> NextAction:
        action = await _find(uow, action_id, lock=True)
        models.check_decidable(
            action,
            expected_version=expected_version,
            staff_id=_bound_to(actor),
            now=uow.clock.now(),
        )
        return action

    async def _decide(
        self,
        uow: UnitOfWork,
        action: NextAction,
        decision: str,
        actor: Actor,
        expected_version: int | None,
        changes: dict[str, Any],
    ) -> NextAction:
        now = uow.clock.now()
        models.check_decidable(
            action, expected_version=expected_version, staff_id=_bound_to(actor), now=now
        )
        if actor.staff_id is None:
            raise Conflict("action.nobody", "A member of staff decides on this.")
        decided = {"status": decision, "decided_at": now, "decided_by": actor.staff_id}
        after = await store.update_action(uow.conn, action.id, decided | changes)
        uow.publish(
            ActionDecided(action_id=action.id, person_id=action.person_id, decision=decision)
        )
        told = {"action_id": action.id, "kind": action.kind, **changes}
        uow.audit(performed(actor, f"action.{decision}", about=action.person_id, payload=told))
        return after


def call_of(command: ProposeAction, draft: str) -> tuple[str, dict[str, object]]:
    """Return the tool that accepting calls, with its arguments."""
    lead_id = str(command.lead_id)
    if command.kind in models.WRITTEN:
        return "write_to_lead", {"lead_id": lead_id, "kind": command.kind, "text": draft}
    return "plan_task", {"lead_id": lead_id, "due_at": command.due_at.isoformat()}


def _bound_to(actor: Actor) -> StaffId | None:
    """Return whose suggestions an actor is bound to; an admin stands in for everybody."""
    return actor.staff_id if actor.role is Role.ADVISOR else None


async def _find(uow: UnitOfWork, action_id: ActionId, *, lock: bool = False) -> NextAction:
    action = await store.select_action(uow.conn, action_id, lock=lock)
    if action is None:
        raise NotFound("action.unknown", "There is no such suggestion.")
    return action
