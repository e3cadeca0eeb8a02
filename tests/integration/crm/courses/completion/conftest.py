"""A class that meets, people in it, and staff who mark who was there."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from crm.actor import Actor, IdentityLevel, Role
from crm.courses.completion.attendance.models import Mark, SessionMark, sessions_of
from crm.courses.completion.attendance.service import AttendanceService
from crm.courses.completion.certificates.service import CertificateService
from crm.courses.completion.models import Completion, CompletionPolicy
from crm.courses.completion.service import CompletionService
from crm.ids import PersonId, StaffId, SubjectId, new_id
from tests.rows import Rows

if TYPE_CHECKING:
    from conftest import Catalogue

    from crm.courses.models import Cohort
    from crm.db import Database

POLICY = CompletionPolicy(attendance_percent=75, time_zone="America/Lima")


class Classroom(Rows):
    """Fills cohorts that have ended, marks attendance and completes courses."""

    def __init__(self, catalogue: Catalogue, advisor: Actor) -> None:
        self.database: Database = catalogue.database
        self.catalogue = catalogue
        self.advisor = advisor
        self.attendance = AttendanceService(self.database, POLICY)
        self.completion = CompletionService(self.database, POLICY)
        self.certificates = CertificateService(self.database, POLICY)

    async def held_cohort(self, today: date, **changes: object) -> tuple[Cohort, tuple[date, ...]]:
        """Open a cohort whose last of eight sessions was last week; Mondays and Wednesdays."""
        monday = today - timedelta(days=today.weekday() + 28)
        ends_on = monday + timedelta(days=23)
        cohort = await self.catalogue.open_cohort(starts_on=monday, ends_on=ends_on, **changes)
        return cohort, sessions_of(cohort.starts_on, cohort.ends_on, cohort.schedule.days)

    async def enrol(
        self, cohort: Cohort, name: str = "Ana María Quispe", status: str = "confirmed"
    ) -> tuple[UUID, PersonId]:
        """Enrol somebody new; returns the enrolment and the person."""
        enrolment_id, person_id = new_id(), PersonId(new_id())
        now = self.database.clock.now()
        await self.execute(
            "INSERT INTO people (id, full_name, locale, time_zone, status, created_at, updated_at)"
            " VALUES (%s, %s, 'es', 'America/Lima', 'active', %s, %s)",
            *(person_id, name, now, now),
        )
        await self.execute(
            "INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at) "
            "VALUES (%s, %s, %s, %s, %s)",
            *(enrolment_id, person_id, cohort.id, status, now),
        )
        return enrolment_id, person_id

    async def mark(self, cohort: Cohort, enrolment_id: UUID, marks: dict[date, Mark]) -> int:
        """Write down one person's marks."""
        rows = [SessionMark(enrolment_id, day, mark) for day, mark in marks.items()]
        return await self.attendance.mark(cohort.id, rows, actor=self.advisor)

    async def pass_course(
        self, today: date, name: str = "Ana María Quispe", course: str = "PRG-101"
    ) -> tuple[Completion, PersonId]:
        """Let somebody new attend a whole course and complete it."""
        cohort, sessions = await self.held_cohort(today, course_code=course)
        enrolment_id, person_id = await self.enrol(cohort, name)
        await self.mark(cohort, enrolment_id, dict.fromkeys(sessions, "present"))
        done = await self.completion.complete_enrolment(enrolment_id, actor=self.advisor)
        return done, person_id

    def student(self, person_id: PersonId) -> Actor:
        """Return the person as an actor who has shown who they are."""
        return Actor(SubjectId(person_id), IdentityLevel.VERIFIED, person_id)


@pytest.fixture(scope="module")
async def classroom(catalogue: Catalogue, database: Database) -> Classroom:
    staff_id = StaffId(new_id())
    async with database.transaction() as uow:
        await uow.conn.execute(
            "INSERT INTO staff (id, email, name, role, password_hash, created_at) "
            "VALUES (%s, %s, 'Eva', 'advisor', 'x', %s)",
            [staff_id, f"{staff_id}@andino.example", database.clock.now()],
        )
    advisor = Actor(
        SubjectId(staff_id), IdentityLevel.VERIFIED, staff_id=staff_id, role=Role.ADVISOR
    )
    return Classroom(catalogue, advisor)
