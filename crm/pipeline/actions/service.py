"""Use cases of next actions: list, edit, accept, dismiss, snooze; suggesting is beside."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from crm.actor import Actor, Role
from crm.db import UnitOfWork
from crm.errors import Conflict, NotFound, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import StaffId
from crm.journal.audit import performed, shown
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.authority import audits_reads
from crm.pipeline.actions import models, store
from crm.pipeline.actions.events import ActionDecided
from crm.pipeline.actions.models import (
    ActionId,
    ActionKind,
    DismissReason,
    NextAction,
)
from crm.pipeline.actions.proposing import Proposing


class ActionService(Proposing):
    """The advisors' queue of suggestions."""

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


def _bound_to(actor: Actor) -> StaffId | None:
    """Return whose suggestions an actor is bound to; an admin stands in for everybody."""
    return actor.staff_id if actor.role is Role.ADVISOR else None


async def _find(uow: UnitOfWork, action_id: ActionId, *, lock: bool = False) -> NextAction:
    action = await store.select_action(uow.conn, action_id, lock=lock)
    if action is None:
        raise NotFound("action.unknown", "There is no such suggestion.")
    return action
