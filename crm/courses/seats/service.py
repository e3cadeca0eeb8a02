"""Use cases of seats: hold one, give it back, wait for one."""

from datetime import datetime, timedelta
from uuid import UUID

from crm.actor import Actor
from crm.courses.models import CohortId
from crm.courses.seats import acts, store
from crm.courses.seats.authority import seat_owner
from crm.courses.seats.models import EntryId, HoldId, SeatHold, SeatPolicy, Waiting, WaitlistEntry
from crm.courses.seats.waitlist import acts as queueing
from crm.courses.seats.waitlist import store as waitlist
from crm.db import Database, UnitOfWork
from crm.errors import Denied
from crm.ids import PersonId
from crm.journal.audit import shown
from crm.journal.idempotency import IdempotencyKey
from crm.once import run_once
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.authority import audits_reads


class SeatService:
    """Seats that are not kept yet.

    Args:
        policy: handed to the acts by whoever calls them directly.
    """

    def __init__(self, database: Database, policy: SeatPolicy) -> None:
        self._db = database
        self.policy = policy

    async def hold_seat(
        self,
        *,
        cohort_id: CohortId,
        person_id: PersonId,
        life: timedelta | None = None,
        waiver: str | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> SeatHold:
        """Keep a seat for a person until they enrol with it, or until it expires.

        Raises: as `acts.hold_seat`; Conflict("idempotency.mismatch").
        """
        held_for = life or self.policy.hold_life
        arguments = {"cohort_id": cohort_id, "person_id": person_id, "waiver": waiver}
        return await run_once(
            self._db,
            idempotency,
            arguments | {"life_s": int(held_for.total_seconds())},
            lambda uow: acts.hold_seat(
                uow,
                cohort_id=cohort_id,
                person_id=person_id,
                life=held_for,
                effect_key=None,
                actor=actor,
                waiver=waiver,
                policy=self.policy,
            ),
            kind=SeatHold,
            about=person_id,
        )

    async def release_hold(
        self,
        hold_id: HoldId,
        *,
        cohort_id: CohortId | None = None,
        reason: str,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> bool:
        """Give a seat back; False when it was no longer held.

        Args:
            cohort_id: of another cohort the hold is not found.

        Raises: as `acts.release_hold`; Conflict("idempotency.mismatch").
        """

        async def work(uow: UnitOfWork) -> bool:
            await acts.find_hold(uow, hold_id, actor, cohort_id=cohort_id)
            return await acts.release_hold(
                uow, hold_id, reason=reason, actor=actor, policy=self.policy
            )

        return await run_once(
            self._db, idempotency, {"hold_id": hold_id, "reason": reason}, work, kind=bool
        )

    async def join_waitlist(
        self,
        *,
        cohort_id: CohortId,
        person_id: PersonId,
        priority: int = 0,
        waiver: str | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> WaitlistEntry:
        """Queue for a seat, which is offered at once where one is free.

        Raises: as `join_waitlist` of the acts; Conflict("idempotency.mismatch").
        """
        arguments = {"cohort_id": cohort_id, "person_id": person_id, "waiver": waiver}
        return await run_once(
            self._db,
            idempotency,
            arguments | {"priority": priority},
            lambda uow: queueing.join_waitlist(
                uow,
                cohort_id=cohort_id,
                person_id=person_id,
                priority=priority,
                actor=actor,
                waiver=waiver,
                policy=self.policy,
            ),
            kind=WaitlistEntry,
            about=person_id,
        )

    async def leave_waitlist(
        self,
        entry_id: EntryId,
        *,
        cohort_id: CohortId | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> bool:
        """Stop waiting, declining the offer if there is one; False when it had ended before.

        Args:
            cohort_id: of another cohort's queue the entry is not found.

        Raises: as `leave_waitlist` of the acts; Conflict("idempotency.mismatch").
        """

        async def work(uow: UnitOfWork) -> bool:
            await queueing.find_entry(uow, entry_id, actor, cohort_id=cohort_id)
            return await queueing.leave_waitlist(
                uow, entry_id=entry_id, actor=actor, policy=self.policy
            )

        return await run_once(self._db, idempotency, {"entry_id": entry_id}, work, kind=bool)

    async def expire_due(self) -> int:
        """Let a batch of overdue holds lapse and offer their seats; returns how many lapsed."""
        async with self._db.transaction() as uow:
            return await acts.expire_holds(uow, policy=self.policy)

    async def get_hold(
        self, hold_id: HoldId, *, cohort_id: CohortId | None = None, actor: Actor
    ) -> SeatHold:
        """Return a hold: staff any, a student their own; what staff read is audited.

        Args:
            cohort_id: of another cohort the hold is not found.

        Raises: NotFound("hold.unknown"); Denied("auth.role" | "identity.level").
        """
        async with self._db.audited_read() as uow:
            hold = await acts.find_hold(uow, hold_id, actor, cohort_id=cohort_id, write=False)
            if audits_reads(actor):
                uow.audit(shown(actor, "seat.read", (hold.person_id,)))
        return hold

    async def list_holds(
        self,
        cohort_id: CohortId,
        *,
        live_only: bool = True,
        cursor: str | None = None,
        limit: int = 50,
        actor: Actor,
    ) -> Page[SeatHold]:
        """Return a cohort's holds and offers, newest first, to staff.

        Raises: Denied("auth.role" | "auth.staff"); RuleBroken("page.cursor").
        """
        _require_staff(actor)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            live_at = uow.clock.now() if live_only else None
            rows = await store.select_holds(
                uow.conn, cohort_id, live_at=live_at, after=after, limit=limit + 1
            )
            page = page_of(rows, limit, lambda h: encode_cursor(h.created_at, h.id))
            seen = tuple(hold.person_id for hold in page.items)
            uow.audit(shown(actor, "seat.list", seen))
        return page

    async def find_own_entry(
        self, uow: UnitOfWork, cohort_id: CohortId, *, person_id: PersonId
    ) -> WaitlistEntry | None:
        """Return somebody's entry that waits for a cohort, or has an offer."""
        return await waitlist.select_open_entry(uow.conn, cohort_id, person_id)

    async def list_own_waiting(self, *, actor: Actor) -> tuple[Waiting, ...]:
        """Return what a student waits for, the latest first, at most 50.

        Raises: Denied("identity.level" | "auth.student").
        """
        owner = seat_owner(actor, write=False)
        if owner is None:
            raise Denied("auth.student", "Only a student has places of their own.")
        async with self._db.read() as conn:
            return tuple(await waitlist.select_waiting_of(conn, owner, at=self._db.clock.now()))

    async def list_waitlist(
        self, cohort_id: CohortId, *, cursor: str | None = None, limit: int = 50, actor: Actor
    ) -> Page[WaitlistEntry]:
        """Return who waits for a seat or has an offer, in their order, to staff.

        Raises: Denied("auth.role" | "auth.staff"); RuleBroken("page.cursor").
        """
        _require_staff(actor)
        after = decode_cursor(cursor, int, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            rows = await waitlist.select_queue(uow.conn, cohort_id, after=after, limit=limit + 1)
            page = page_of(rows, limit, lambda e: encode_cursor(e.priority, e.joined_at, e.id))
            seen = tuple(entry.person_id for entry in page.items)
            uow.audit(shown(actor, "waitlist.list", seen))
        return page


def _require_staff(actor: Actor) -> None:
    if seat_owner(actor, write=False) is not None:
        raise Denied("auth.staff", "Only staff may do this.")
