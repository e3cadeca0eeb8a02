"""Use cases of leads: open, correct, move, assign, note, read."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from crm.actor import Actor
from crm.db import Database, UnitOfWork
from crm.errors import NotFound
from crm.facts import facts_of
from crm.identity.permissions import Area, require
from crm.ids import StaffId
from crm.journal.idempotency import IdempotencyKey
from crm.once import do_once, run_once
from crm.people.standing import require_active
from crm.pipeline import leads
from crm.pipeline.activities.acts import note_activity, note_message
from crm.pipeline.activities.models import Activity, Direction, StaffActivityKind
from crm.pipeline.assignment.acts import assign_by_rule, assign_to
from crm.pipeline.models import CreateLead, Lead, LeadChanges, LeadId, LostReason, Stage
from crm.pipeline.reading import LeadReading

Work = Callable[[UnitOfWork], Awaitable[Lead]]


class PipelineService(LeadReading):
    """The leads of the institution, for staff."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)

    async def open_lead(
        self, command: CreateLead, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Lead:
        """Open a lead.

        Raises: as `leads.open_lead`; Denied("auth.role").
        """

        async def work(uow: UnitOfWork) -> Lead:
            return await leads.open_lead(uow, command, actor=actor)

        return await self._once(actor, idempotency, facts_of(command), work)

    async def change_lead(
        self,
        lead_id: LeadId,
        changes: LeadChanges,
        *,
        expected_version: int,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Lead:
        """Correct what is known of an interest.

        Raises: as `leads.change_lead`; Denied("auth.role").
        """

        async def work(uow: UnitOfWork) -> Lead:
            return await leads.change_lead(
                uow, lead_id, changes, expected_version=expected_version, actor=actor
            )

        arguments = {"lead_id": lead_id, "version": expected_version, **changes}
        return await self._once(actor, idempotency, arguments, work)

    async def move_lead(
        self,
        lead_id: LeadId,
        to: Stage,
        *,
        reason: LostReason | None = None,
        expected_version: int | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Lead:
        """Move a lead to a stage that may follow its own.

        Raises: as `leads.move_lead`; Denied("auth.role").
        """

        async def work(uow: UnitOfWork) -> Lead:
            return await leads.move_lead(
                uow, lead_id, to, reason=reason, expected_version=expected_version, actor=actor
            )

        arguments = {"lead_id": lead_id, "to": to, "reason": reason, "version": expected_version}
        return await self._once(actor, idempotency, arguments, work)

    async def assign_lead(
        self,
        lead_id: LeadId,
        staff_id: StaffId | None,
        *,
        by_rule: bool = False,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Lead:
        """Give a lead to somebody, to nobody, or to whoever the rule says is next.

        Raises: RuleBroken("lead.assignee"); NotFound("lead.unknown"); Denied("auth.role").
        """

        async def work(uow: UnitOfWork) -> Lead:
            lead = await leads.lock_lead(uow, lead_id)
            if by_rule:
                return await assign_by_rule(uow, lead, actor=actor)
            return await assign_to(uow, lead, staff_id, actor=actor)

        arguments = {"lead_id": lead_id, "staff_id": staff_id, "by_rule": by_rule}
        return await self._once(actor, idempotency, arguments, work)

    async def note_activity(
        self,
        lead_id: LeadId,
        kind: StaffActivityKind,
        *,
        direction: Direction | None = None,
        about: Mapping[str, object],
        occurred_at: datetime | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Activity:
        """Write down what staff did with a lead, at the latest now.

        Raises:
            NotFound("lead.unknown"); Denied("auth.role").
            RuleBroken("activity.about" | "person.inactive").
        """
        require(actor, Area.PIPELINE, write=True)
        async with self._db.transaction() as uow:
            now = uow.clock.now()

            async def work() -> Activity:
                lead = await leads.lock_lead(uow, lead_id)
                await require_active(uow, lead.person_id)
                noted = await note_activity(
                    uow,
                    person_id=lead.person_id,
                    kind=kind,
                    direction=direction,
                    about=about,
                    occurred_at=min(occurred_at or now, now),
                    actor=actor,
                    lead_id=lead_id,
                )
                if noted is None:  # only what has a source key is passed over
                    raise NotFound("activity.unknown", "Nothing was noted.")
                return noted

            said = {"lead_id": lead_id, "kind": kind, "direction": direction, "about": about}
            return await do_once(
                uow,
                idempotency,
                {**said, "occurred_at": occurred_at},
                work,
                kind=Activity,
                about=lambda activity: activity.person_id,
            )

    async def note_message(self, message_id: UUID) -> None:
        """Note on the timeline that a message was written, as often as this is asked."""
        async with self._db.transaction() as uow:
            await note_message(uow, message_id)

    async def _once(
        self,
        actor: Actor,
        idempotency: IdempotencyKey | None,
        arguments: Mapping[str, object],
        work: Work,
    ) -> Lead:
        require(actor, Area.PIPELINE, write=True)
        return await run_once(
            self._db,
            idempotency,
            arguments,
            work,
            kind=Lead,
            about=_whose,
        )


def _whose(lead: Lead) -> UUID:
    return lead.person_id
