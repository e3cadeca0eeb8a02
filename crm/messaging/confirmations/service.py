"""Use cases of confirmations: freeze a call, decide on it, close it."""

from datetime import timedelta
from uuid import UUID

from crm.actor import Actor
from crm.db import Database, UnitOfWork
from crm.errors import Conflict, NotFound
from crm.messaging.confirmations import store
from crm.messaging.confirmations.models import (
    Confirmation,
    ConfirmationDecided,
    ConfirmationStatus,
    Decision,
    FrozenCall,
    decision_entry,
)
from crm.messaging.turns import store as turns

_DECIDED = {"accept": ConfirmationStatus.ACCEPTED, "reject": ConfirmationStatus.REJECTED}


class ConfirmationService:
    """Holds what a student was shown until they decide.

    Args:
        life: after it, silence is a refusal.
    """

    def __init__(self, database: Database, *, life: timedelta = timedelta(minutes=15)) -> None:
        self._db = database
        self._life = life

    async def freeze(self, uow: UnitOfWork, call: FrozenCall) -> Confirmation:
        """Keep a call for a decision; the same call key gives the same confirmation."""
        now = self._db.clock.now()
        await store.insert_call(uow.conn, call, at=now, expires_at=now + self._life)
        frozen = await store.select_by_key(uow.conn, call.call_key)
        assert frozen is not None, "it was stored just now, or before"  # noqa: S101
        return frozen

    async def find(self, uow: UnitOfWork, call_key: str) -> Confirmation | None:
        """Return what a call was frozen as before, if it was."""
        return await store.select_by_key(uow.conn, call_key)

    async def get(self, confirmation_id: UUID) -> Confirmation:
        """Return a confirmation.

        Raises: NotFound("confirmation.unknown").
        """
        async with self._db.read() as conn:
            return await store.select_confirmation(conn, confirmation_id)

    async def lock(self, uow: UnitOfWork, confirmation_id: UUID) -> Confirmation:
        """Return a confirmation that nobody else can change until the transaction ends.

        Raises: NotFound("confirmation.unknown").
        """
        return await store.select_confirmation(uow.conn, confirmation_id, lock=True)

    async def list_open(self, conversation_id: UUID) -> list[Confirmation]:
        """Return what is pending and unexpired, or decided but not carried out; newest first."""
        now = self._db.clock.now()
        async with self._db.read() as conn:
            found = await store.select_open(conn, conversation_id)
        return [
            c for c in found if c.status is not ConfirmationStatus.PENDING or c.expires_at > now
        ]

    async def decide(
        self, confirmation_id: UUID, *, conversation_id: UUID, decision: Decision, actor: Actor
    ) -> Confirmation:
        """Record a decision and ask for the turn that carries it out.

        Deciding the same again changes nothing.

        Raises:
            NotFound("confirmation.unknown"): it is not this conversation's.
            Conflict("confirmation.expired" | "confirmation.decided").
        """
        async with self._db.transaction() as uow:
            held = await store.select_confirmation(uow.conn, confirmation_id, lock=True)
            if held.call.conversation_id != conversation_id:
                raise NotFound("confirmation.unknown", "There is no such confirmation.")
            if self._settle(held, decision):
                await take_decision(uow, held, decision, decided_by=actor.kind, actor=actor)
                await turns.request_turn(
                    uow.conn, conversation_id, settle=timedelta(0), settle_max=timedelta(0)
                )
            return await store.select_confirmation(uow.conn, confirmation_id)

    def _settle(self, held: Confirmation, decision: Decision) -> bool:
        """Return whether the decision is new."""
        if held.status is ConfirmationStatus.PENDING:
            if held.expires_at <= self._db.clock.now():
                raise Conflict("confirmation.expired", "The time to decide is over.")
            return True
        if held.status is ConfirmationStatus.EXPIRED:
            raise Conflict("confirmation.expired", "The time to decide is over.")
        if held.agreed != (decision == "accept"):
            raise Conflict("confirmation.decided", "The other decision was taken before.")
        return False

    async def mark_executed(self, uow: UnitOfWork, confirmation_id: UUID) -> None:
        """Note, within the effect's transaction, that the call was executed.

        It stays open until the turn that tells the student commits.
        """
        await store.update_status(uow.conn, confirmation_id, status=ConfirmationStatus.EXECUTED)

    async def mark_failed(self, uow: UnitOfWork, confirmation_id: UUID) -> None:
        """Note that an accepted call could not be executed."""
        await store.update_status(uow.conn, confirmation_id, status=ConfirmationStatus.FAILED)

    async def expire_due(self, *, limit: int = 100) -> list[UUID]:
        """Turn what nobody decided in time into refusals; return the runs that waited."""
        async with self._db.transaction() as uow:
            runs = await store.expire(uow.conn, at=self._db.clock.now(), limit=limit)
            await turns.end_waiting_runs(uow.conn, runs, at=self._db.clock.now())
            return list(runs)


async def take_decision(
    uow: UnitOfWork, held: Confirmation, decision: Decision, *, decided_by: str, actor: Actor
) -> None:
    """Record a decision on a confirmation that is locked and pending; no turn is asked for.

    Args:
        decided_by: `student` for the button, `typed` for a message that says yes or no.
    """
    await store.update_decision(
        uow.conn,
        held.id,
        status=_DECIDED[decision],
        decided_by=decided_by,
        at=uow.clock.now(),
    )
    uow.publish(
        ConfirmationDecided(
            conversation_id=held.call.conversation_id,
            confirmation_id=held.id,
            decision=decision,
        )
    )
    uow.audit(decision_entry(held, decision, actor))
