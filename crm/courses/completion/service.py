"""The use case of completing a course."""

from uuid import UUID

from crm.actor import Actor, Role
from crm.courses.completion import acts
from crm.courses.completion.models import MAX_WAIVER, Completion, CompletionPolicy
from crm.db import Database
from crm.errors import Denied, RuleBroken
from crm.identity.permissions import Area, require
from crm.journal.idempotency import IdempotencyKey
from crm.once import do_once


class CompletionService:
    """Lets people pass their courses."""

    def __init__(self, database: Database, policy: CompletionPolicy) -> None:
        self._db = database
        self._policy = policy

    async def complete_enrolment(
        self,
        enrolment_id: UUID,
        *,
        waiver: str | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Completion:
        """Let somebody pass a course; the call is the staff's word that they did.

        Args:
            waiver: why attendance does not matter for this one; admins only.

        Raises:
            Denied("auth.role"): not staff, or an advisor waives.
            RuleBroken("completion.waiver"): empty, or too long.
            NotFound, RuleBroken: as `acts.complete_enrolment`.
        """
        require(actor, Area.ENROLMENTS, write=True)
        _check_waiver(waiver, actor)
        async with self._db.transaction() as uow:

            async def work() -> Completion:
                return await acts.complete_enrolment(
                    uow,
                    enrolment_id=enrolment_id,
                    actor=actor,
                    policy=self._policy,
                    waiver=waiver,
                )

            return await do_once(
                uow,
                idempotency,
                {"enrolment_id": enrolment_id, "waiver": waiver},
                work,
                kind=Completion,
                about=lambda completion: completion.person_id,
            )


def _check_waiver(waiver: str | None, actor: Actor) -> None:
    if waiver is None:
        return
    if actor.role is not Role.ADMIN:
        raise Denied("auth.role", "Only admins may waive attendance.")
    if not 0 < len(waiver.strip()) <= MAX_WAIVER:
        raise RuleBroken("completion.waiver", "Say why attendance does not matter.")
