"""Advances sagas: one transaction a step, with its record; retried, then set aside for somebody."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from crm.actor import SERVICE_ACTOR
from crm.db import Database, UnitOfWork
from crm.errors import NotFound, OrientaError, RuleBroken
from crm.workflows import store
from crm.workflows.crash_points import Reach, inert
from crm.workflows.models import (
    MAX_ATTEMPTS,
    Become,
    Do,
    Move,
    Saga,
    SagaId,
    SagaKind,
    SagaStep,
    StepOutcome,
    Wait,
    wait_after,
)
from crm.workflows.records import record_turn

_log = logging.getLogger(__name__)

#: As many steps one call takes of one saga; more than any saga has.
LONGEST = 20


class Workflow(Protocol):
    """What a kind of saga does."""

    @property
    def turning(self) -> frozenset[str]:
        """Return the steps at which a refusal turns the saga back."""
        ...

    async def decide(self, uow: UnitOfWork, saga: Saga) -> Move:
        """Return what comes next, by what is so."""
        ...

    async def act(self, uow: UnitOfWork, saga: Saga, step: str) -> Saga:
        """Take a step in this transaction; what was done already is not done again."""
        ...


@dataclass(slots=True)
class _Try:
    saga: Saga | None = None
    step: str = "decide"


class SagaEngine:
    """Takes steps; any number of processes may at once.

    A saga's row is locked first and everything else after it, so nobody who holds other rows may
    wait for one.
    """

    def __init__(
        self,
        database: Database,
        workflows: Mapping[SagaKind, Workflow],
        *,
        reach: Reach = inert,
    ) -> None:
        self._db = database
        self._workflows = workflows
        self._reach = reach

    async def advance_due(self, limit: int = 50) -> int:
        """Take up to so many steps of sagas that have something to do; return how many."""
        for count in range(limit):
            if not await self._advance(None):
                return count
        return limit

    async def advance(self, saga_id: SagaId) -> None:
        """Take the steps that one saga can take now."""
        for _ in range(LONGEST):
            if not await self._advance(saga_id):
                return

    async def advance_within(self, uow: UnitOfWork, saga_id: SagaId) -> None:
        """Take the steps that a saga of this transaction can take now; a refusal undoes them all.

        For whoever has to tell at once what came of it. No step asks anybody outside.

        Raises: what the steps raise.
        """
        for _ in range(LONGEST):
            saga = await store.claim_due(uow.conn, at=uow.clock.now(), saga_id=saga_id)
            if saga is None:
                return
            await self._move(uow, saga, _Try())

    async def _advance(self, only: SagaId | None) -> bool:
        trying = _Try()
        try:
            async with self._db.transaction() as uow:
                now = uow.clock.now()
                trying.saga = await store.claim_due(uow.conn, at=now, saga_id=only)
                if trying.saga is None:
                    return False
                await self._move(uow, trying.saga, trying)
            self._reach(f"{trying.step}.committed")
        except Exception as failure:
            if trying.saga is None:
                raise
            await self._note_failure(trying.saga, trying.step, failure)
        return True

    async def _move(self, uow: UnitOfWork, saga: Saga, trying: _Try) -> None:
        workflow = self._workflows[saga.kind]
        move = await workflow.decide(uow, saga)
        if isinstance(move, Do):
            trying.step = move.step
            self._reach(f"{move.step}.begun")
            after = await workflow.act(uow, saga, move.step)
            await write(uow, replace(after, step=move.step), "done")
            self._reach(f"{move.step}.done")
        elif isinstance(move, Wait):
            await store.update_saga(uow.conn, replace(saga, next_run_at=move.until))
        elif isinstance(move, Become):
            await turn(uow, saga, move)
        else:
            await _park(uow, saga, saga.step, move.reason)

    async def _note_failure(self, saga: Saga, step: str, failure: Exception) -> None:
        code = failure.code if isinstance(failure, OrientaError) else type(failure).__name__
        _log.warning("saga %s: %s failed: %s", saga.id, step, code, exc_info=_unknown(failure))
        refused = isinstance(failure, RuleBroken | NotFound)
        async with self._db.transaction() as uow:
            current = await store.lock_saga(uow.conn, saga.id)
            if current is None or current.version != saga.version:
                return  # somebody took the step meanwhile
            if refused and current.status == "running" and step in self._turning(saga):
                await turn(uow, current, Become("compensating", code))
            elif current.attempts + 1 >= MAX_ATTEMPTS:
                await _park(uow, current, step, code)
            else:
                await _postpone(uow, current, step, code)

    def _turning(self, saga: Saga) -> frozenset[str]:
        return self._workflows[saga.kind].turning


def _unknown(failure: Exception) -> Exception | None:
    return None if isinstance(failure, OrientaError) else failure


async def write(
    uow: UnitOfWork,
    saga: Saga,
    outcome: StepOutcome,
    *,
    step: str | None = None,
    code: str | None = None,
) -> Saga:
    """Write how a locked saga stands and what it did; it looks again at once."""
    now = uow.clock.now()
    after = replace(saga, version=saga.version + 1, updated_at=now)
    if outcome != "failed":
        after = replace(after, attempts=0, next_run_at=now, last_error=None, parked_at=None)
    if outcome == "parked":
        after = replace(after, last_error=code, parked_at=now)
    await store.update_saga(uow.conn, after)
    done = SagaStep(after.version, step or after.step, outcome, code, now)
    await store.insert_step(uow.conn, saga.id, done)
    return after


async def turn(uow: UnitOfWork, saga: Saga, move: Become) -> Saga:
    """Turn a locked saga back, or end it."""
    after = replace(saga, status=move.status, failure=move.failure)
    written = await write(uow, after, "turned", step=move.status, code=move.failure)
    record_turn(uow, written, move.status, actor=SERVICE_ACTOR, code=move.failure)
    return written


async def _park(uow: UnitOfWork, saga: Saga, step: str, reason: str) -> None:
    parked = await write(uow, saga, "parked", step=step, code=reason)
    record_turn(uow, parked, "park", actor=SERVICE_ACTOR, code=reason)


async def _postpone(uow: UnitOfWork, saga: Saga, step: str, code: str) -> None:
    attempts = saga.attempts + 1
    until = uow.clock.now() + wait_after(attempts)
    later = replace(saga, attempts=attempts, next_run_at=until, last_error=code)
    await write(uow, later, "failed", step=step, code=code)
