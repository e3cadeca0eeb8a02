"""Use cases of sagas: start, cancel, resume, advance, wake."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace

from crm.actor import Actor
from crm.courses.enrolments.models import EnrolmentId
from crm.courses.fees.models import QuoteId
from crm.courses.seats.authority import seat_owner
from crm.courses.seats.models import HoldId
from crm.db import Database, UnitOfWork
from crm.errors import RuleBroken
from crm.identity.permissions import Area, require
from crm.journal.idempotency import IdempotencyKey, effect_key_of
from crm.once import do_once
from crm.payments.models import InvoiceId
from crm.workflows import store
from crm.workflows.crash_points import Reach, inert
from crm.workflows.engine import SagaEngine, turn, write
from crm.workflows.enrolment.acts import start_enrolment
from crm.workflows.enrolment.models import StartEnrolment
from crm.workflows.enrolment.offers import SeatOffer, WantedSeat, offer_seat, withdraw_offer
from crm.workflows.enrolment.steps import EnrolmentWorkflow
from crm.workflows.models import Become, Saga, SagaId
from crm.workflows.reading import SagaReading, unknown_saga
from crm.workflows.records import record_turn
from crm.workflows.terms import Terms
from crm.workflows.withdrawal.acts import preview_withdrawal, start_withdrawal
from crm.workflows.withdrawal.models import Leaving, StartWithdrawal
from crm.workflows.withdrawal.steps import WithdrawalWorkflow


class WorkflowService(SagaReading):
    """Sagas of a deployment.

    Args:
        reach: kills the process at named places, in experiments.
    """

    def __init__(self, database: Database, terms: Terms, *, reach: Reach = inert) -> None:
        super().__init__(database)
        self._terms = terms
        workflows = EnrolmentWorkflow(terms), WithdrawalWorkflow(terms)
        self._engine = SagaEngine(
            database, {"enrolment": workflows[0], "withdrawal": workflows[1]}, reach=reach
        )

    @property
    def hold_minutes(self) -> int:
        """Return how long a seat waits for its payment."""
        return int(self._terms.seats.hold_life.total_seconds()) // 60

    async def start_enrolment(
        self,
        command: StartEnrolment,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Saga:
        """Begin to enrol somebody: staff anybody, a student themself.

        Raises: as `enrolment.acts.start_enrolment`; Conflict("idempotency.mismatch").
        """

        async def start(uow: UnitOfWork, effect_key: str) -> Saga:
            return await start_enrolment(
                uow, command, effect_key=effect_key, terms=self._terms, actor=actor
            )

        return await self._start(start, asdict(command), idempotency)

    async def start_withdrawal(
        self,
        command: StartWithdrawal,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Saga:
        """Begin to let somebody leave a course: staff anybody, a student themself.

        Raises: as `withdrawal.acts.start_withdrawal`; Conflict("idempotency.mismatch").
        """

        async def start(uow: UnitOfWork, effect_key: str) -> Saga:
            return await start_withdrawal(
                uow, command, effect_key=effect_key, terms=self._terms, actor=actor
            )

        return await self._start(start, asdict(command), idempotency)

    async def offer_seat(
        self, uow: UnitOfWork, wanted: WantedSeat, *, effect_key: str, actor: Actor
    ) -> SeatOffer:
        """Freeze a price and hold a seat until somebody has made up their mind; as `offers`."""
        return await offer_seat(uow, wanted, effect_key=effect_key, terms=self._terms, actor=actor)

    async def withdraw_offer(self, *, quote_id: QuoteId, hold_id: HoldId, actor: Actor) -> None:
        """Give back what an offer kept; as `offers`."""
        async with self._db.transaction() as uow:
            await withdraw_offer(
                uow, quote_id=quote_id, hold_id=hold_id, terms=self._terms, actor=actor
            )

    async def enrol_within(
        self, uow: UnitOfWork, command: StartEnrolment, *, effect_key: str, actor: Actor
    ) -> Saga:
        """Begin to enrol somebody within a transaction, as far as that goes without a gateway.

        Raises: as `start_enrolment`, and what the steps raise; nothing has happened then.
        """
        saga = await start_enrolment(
            uow, command, effect_key=effect_key, terms=self._terms, actor=actor
        )
        return await self._advanced(uow, saga)

    async def withdraw_within(
        self, uow: UnitOfWork, command: StartWithdrawal, *, effect_key: str, actor: Actor
    ) -> Saga:
        """Let somebody leave a course within a transaction, as far as that goes without a gateway.

        Raises: as `start_withdrawal`, and what the steps raise; nothing has happened then.
        """
        saga = await start_withdrawal(
            uow, command, effect_key=effect_key, terms=self._terms, actor=actor
        )
        return await self._advanced(uow, saga)

    async def _advanced(self, uow: UnitOfWork, saga: Saga) -> Saga:
        await self._engine.advance_within(uow, saga.id)
        return await store.select_saga(uow.conn, saga.id, owner=None) or saga

    async def preview_withdrawal(
        self, uow: UnitOfWork, enrolment_id: EnrolmentId, *, actor: Actor
    ) -> Leaving:
        """Return what leaving a course would give back today; nothing changes.

        Raises: as `withdrawal.acts.preview_withdrawal`.
        """
        return await preview_withdrawal(uow, enrolment_id, terms=self._terms, actor=actor)

    async def _start(
        self,
        start: Callable[[UnitOfWork, str], Awaitable[Saga]],
        said: Mapping[str, object],
        key: IdempotencyKey | None,
    ) -> Saga:
        effect_key = effect_key_of(key)
        async with self._db.transaction() as uow:
            saga = await do_once(
                uow,
                key,
                said,
                lambda: start(uow, effect_key),
                kind=Saga,
                about=lambda made: made.person_id,
            )
        await self._engine.advance(saga.id)
        return await self._now(saga)

    async def _now(self, saga: Saga) -> Saga:
        async with self._db.read() as conn:
            return await store.select_saga(conn, saga.id, owner=None) or saga

    async def cancel(self, saga_id: SagaId, *, actor: Actor) -> Saga:
        """Undo an enrolment that has not ended; a student only before they are enrolled.

        Raises:
            NotFound("saga.unknown").
            RuleBroken("saga.over"): ended, or only staff may still cancel it.
            Denied("auth.role" | "identity.level").
        """
        owner = seat_owner(actor)
        async with self._db.transaction() as uow:
            saga = await self._locked(uow, saga_id)
            if owner not in (None, saga.person_id):
                raise unknown_saga()
            settled = saga.kind != "enrolment" or saga.is_over
            if settled or (owner is not None and saga.enrolment_id is not None):
                raise RuleBroken("saga.over", "This can no longer be cancelled; withdraw instead.")
            if saga.status == "running":
                saga = await turn(uow, saga, Become("compensating", "cancelled"))
                record_turn(uow, saga, "cancel", actor=actor)
        await self._engine.advance(saga_id)
        return await self._now(saga)

    async def resume(self, saga_id: SagaId, *, actor: Actor) -> Saga:
        """Let a saga that was set aside try again; staff only.

        Raises: NotFound("saga.unknown"); RuleBroken("saga.active"); Denied("auth.role").
        """
        require(actor, Area.PAYMENTS, write=True)
        async with self._db.transaction() as uow:
            saga = await self._locked(uow, saga_id)
            if saga.parked_at is None:
                raise RuleBroken("saga.active", "It is not waiting for anybody.")
            allowed = {**saga.context, "forgiven": await _failed_refunds(uow, saga)}
            await write(uow, replace(saga, context=allowed), "resumed")
            record_turn(uow, saga, "resume", actor=actor)
        await self._engine.advance(saga_id)
        return await self._now(saga)

    async def resume_all(self, *, actor: Actor) -> int:
        """Let every saga that was set aside try again; staff only; returns how many.

        Raises: Denied("auth.role").
        """
        require(actor, Area.PAYMENTS, write=True)
        async with self._db.read() as conn:
            stuck = await store.select_parked(conn)
        for saga_id in stuck:
            with suppress(RuleBroken):  # somebody else was faster
                await self.resume(saga_id, actor=actor)
        return len(stuck)

    async def _locked(self, uow: UnitOfWork, saga_id: SagaId) -> Saga:
        saga = await store.lock_saga(uow.conn, saga_id)
        if saga is None:
            raise unknown_saga()
        return saga

    async def advance_due(self, limit: int = 50) -> int:
        """Take up to so many steps that are due; return how many were taken."""
        return await self._engine.advance_due(limit)

    async def wake(
        self, *, invoice_id: InvoiceId | None = None, hold_id: HoldId | None = None
    ) -> None:
        """Let the sagas of an invoice or a hold look again at what is so."""
        async with self._db.transaction() as uow:
            at = uow.clock.now()
            await store.wake(uow.conn, at=at, invoice_id=invoice_id, hold_id=hold_id)


async def _failed_refunds(uow: UnitOfWork, saga: Saga) -> int:
    if saga.invoice_id is None:
        return 0
    return (await store.select_refunds_of(uow.conn, saga.invoice_id)).count("failed")
