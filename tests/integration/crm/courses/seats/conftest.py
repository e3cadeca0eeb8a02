"""Cohorts with few seats, and people who want them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel
from crm.courses.enrolments import acts as enrolling
from crm.courses.enrolments.service import EnrolmentService
from crm.courses.seats import acts
from crm.courses.seats.models import SeatPolicy
from crm.courses.seats.service import SeatService
from crm.courses.seats.waitlist import acts as queueing
from crm.db import Database
from crm.ids import PersonId, SubjectId, new_id
from tests.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from crm.courses.enrolments.models import Enrolment
    from crm.courses.models import Cohort
    from crm.courses.seats.models import SeatHold, WaitlistEntry

POLICY = SeatPolicy()


class Hall(Rows):
    """Every act in a transaction of its own, as a service unless somebody else is named."""

    policy = POLICY

    def __init__(self, database: Database, catalogue: Any) -> None:
        self.database = database
        self.catalogue = catalogue
        self.seats = SeatService(database, POLICY)
        self.enrolments = EnrolmentService(database, POLICY)

    def on(self, database: Database) -> Hall:
        """The same hall over other connections."""
        return Hall(database, self.catalogue)

    async def new_person(self, *completed: str) -> PersonId:
        """Make somebody up who has completed these courses."""
        person_id, now = PersonId(new_id()), self.database.clock.now()
        await self.execute(
            "INSERT INTO people (id, full_name, locale, time_zone, status, created_at, updated_at) "
            "VALUES (%s, 'Ana', 'es', 'America/Lima', 'active', %s, %s)",
            *(person_id, now, now),
        )
        for course_code in completed:
            cohort = await self.new_cohort(9, course_code=course_code)
            await self.execute(
                "INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at, ended_at) "
                "VALUES (%s, %s, %s, 'completed', %s, %s)",
                *(new_id(), person_id, cohort.id, now, now),
            )
        return person_id

    def student(self, person_id: PersonId) -> Actor:
        """The person, verified."""
        return Actor(SubjectId(person_id), IdentityLevel.VERIFIED, person_id=person_id)

    async def new_cohort(
        self, seats: int, *, course_code: str = "PRG-101", **changes: Any
    ) -> Cohort:
        cohort: Cohort = await self.catalogue.open_cohort(course_code, seats=seats, **changes)
        return cohort

    async def resize(self, cohort: Cohort, seats: int) -> Cohort:
        """Give a cohort more seats, or fewer."""
        return await self.change(cohort, seats=seats)

    async def change(self, cohort: Cohort, **changes: Any) -> Cohort:
        """Change a cohort as staff do."""
        changed: Cohort = await self.catalogue.change(cohort, **changes)
        return changed

    async def hold(
        self,
        person_id: PersonId,
        cohort: Cohort,
        key: str | None = None,
        *,
        minutes: float = 30,
        actor: Actor = SERVICE_ACTOR,
        waiver: str | None = None,
    ) -> SeatHold:
        return await self._do(
            acts.hold_seat,
            cohort_id=cohort.id,
            person_id=person_id,
            life=timedelta(minutes=minutes),
            effect_key=key,
            actor=actor,
            waiver=waiver,
        )

    async def release(self, hold_id: UUID, *, actor: Actor = SERVICE_ACTOR) -> bool:
        return await self._do(acts.release_hold, hold_id, reason="changed my mind", actor=actor)

    async def expire(self) -> int:
        return await self._do(acts.expire_holds)

    async def join(
        self,
        person_id: PersonId,
        cohort: Cohort,
        *,
        priority: int = 0,
        actor: Actor = SERVICE_ACTOR,
    ) -> WaitlistEntry:
        return await self._do(
            queueing.join_waitlist,
            cohort_id=cohort.id,
            person_id=person_id,
            priority=priority,
            actor=actor,
        )

    async def leave(self, entry_id: UUID, *, actor: Actor = SERVICE_ACTOR) -> bool:
        return await self._do(queueing.leave_waitlist, entry_id=entry_id, actor=actor)

    async def confirm(self, hold_id: UUID, *, actor: Actor = SERVICE_ACTOR) -> Enrolment:
        return await self._do(enrolling.confirm_enrolment, hold_id=hold_id, actor=actor)

    async def withdraw(self, enrolment_id: UUID, *, actor: Actor = SERVICE_ACTOR) -> Enrolment:
        return await self._do(
            enrolling.withdraw_enrolment,
            enrolment_id=enrolment_id,
            reason="no time",
            actor=actor,
        )

    async def transfer(
        self, enrolment_id: UUID, cohort: Cohort, *, actor: Actor = SERVICE_ACTOR
    ) -> Enrolment:
        return await self._do(
            enrolling.transfer_enrolment,
            enrolment_id=enrolment_id,
            to_cohort_id=cohort.id,
            actor=actor,
        )

    async def enrol(self, person_id: PersonId, cohort: Cohort) -> Enrolment:
        return await self.confirm((await self.hold(person_id, cohort)).id)

    async def events(self, name: str, cohort: Cohort) -> int:
        """How many events of this name there are about a cohort."""
        return await self.count(
            "SELECT count(*) FROM outbox WHERE name = %s AND payload ->> 'cohort_id' = %s",
            *(name, str(cohort.id)),
        )

    async def entry(self, entry: WaitlistEntry) -> WaitlistEntry:
        """The entry as it is now."""
        async with self.database.transaction() as uow:
            return await queueing.find_entry(uow, entry.id, SERVICE_ACTOR)

    async def left(self, cohort: Cohort) -> int:
        found: Cohort = await self.catalogue.service.get_cohort(cohort.id)
        return found.seats_left

    async def _do(self, act: Callable[..., Awaitable[Any]], *args: object, **kwargs: Any) -> Any:
        async with self.database.transaction() as uow:
            return await act(uow, *args, policy=POLICY, **kwargs)


@pytest.fixture(scope="module")
def hall(database: Database, catalogue: Any) -> Hall:
    return Hall(database, catalogue)
