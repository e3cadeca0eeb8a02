"""A small catalogue on a real database."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from crm.actor import SERVICE_ACTOR
from crm.clock import FixedClock
from crm.courses.commands import CreateCohort, UpdateCohort
from crm.courses.models import Bilingual, BilingualLines, Cohort, CourseContent, Schedule
from crm.courses.service import CourseService
from crm.db import Database, Pool
from crm.ids import new_id
from crm.journal.vault import Vault
from crm.money import Money
from tests.rows import Rows

#: Tuesday; at the institution, which is five hours behind, it is still Monday.
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)

PYTHON = CourseContent(
    code="PRG-101",
    area="PRG",
    level="intro",
    language="es",
    title=Bilingual("Programación desde cero con Python", "Programming from Scratch with Python"),
    summary=Bilingual("Escribe tus primeros programas.", "Write your first programs."),
    outcomes=BilingualLines(("Escribir funciones",), ("Write functions",)),
    keywords=("python", "programar"),
    hours=40,
    weeks=10,
    hours_per_week=4,
    price=Money(14900, "USD"),
    certificate=True,
)
DATA = replace(
    PYTHON,
    code="DAT-201",
    area="DAT",
    level="intermediate",
    title=Bilingual("Python para análisis de datos", "Python for Data Analysis"),
)
SQL = replace(
    PYTHON,
    code="DAT-110",
    area="DAT",
    title=Bilingual("SQL para consultar bases de datos", "SQL for Querying Databases"),
)
OLD = replace(
    PYTHON,
    code="PRG-001",
    title=Bilingual("Python para hojas perforadas", "Python for Punch Cards"),
    active=False,
)


class Catalogue(Rows):
    """Opens cohorts and enrols people, for tests."""

    def __init__(self, database: Database, service: CourseService) -> None:
        self.database = database
        self.service = service
        self._count = 0

    async def open_cohort(self, course_code: str = "PRG-101", **changes: object) -> Cohort:
        """Open a cohort that starts in two weeks unless told otherwise."""
        self._count += 1
        starts_on = changes.get("starts_on", TODAY + timedelta(days=14))
        command = CreateCohort(
            code=f"{course_code}-{self._count}",
            course_code=course_code,
            starts_on=starts_on,  # type: ignore[arg-type]
            enrolment_closes=starts_on - timedelta(days=3),  # type: ignore[operator]
            modality="online",
            schedule=Schedule(("mon", "wed"), time(19), time(21)),
            seats=10,
        )
        command = replace(command, **changes)  # type: ignore[arg-type]
        return await self.service.create_cohort(command, actor=SERVICE_ACTOR)

    async def change(self, cohort: Cohort, **changes: object) -> Cohort:
        """Change a cohort as staff do."""
        command = UpdateCohort(code=cohort.code, **changes)  # type: ignore[arg-type]
        return await self.service.update_cohort(command, actor=SERVICE_ACTOR)

    async def enrol(self, cohort: Cohort, *statuses: str) -> None:
        """Enrol one new person a status."""
        async with self.database.transaction() as uow:
            for status in statuses:
                person_id = new_id()
                await uow.conn.execute(
                    "INSERT INTO people (id, full_name, locale, time_zone, status, created_at, "
                    "updated_at) VALUES (%s, 'Ana', 'es', 'America/Lima', 'active', %s, %s)",
                    [person_id, NOW, NOW],
                )
                await uow.conn.execute(
                    "INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at) "
                    "VALUES (%s, %s, %s, %s, %s)",
                    [new_id(), person_id, cohort.id, status, NOW],
                )


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="module")
async def database(pool: Pool, clock: FixedClock) -> Database:
    database = Database(pool, clock, Vault(bytes(32)))
    async with database.transaction() as uow:
        await uow.conn.execute(
            "INSERT INTO areas VALUES ('DAT', 'Datos', 'Data'), ('PRG', 'Programación', 'Code')"
        )
    return database


@pytest.fixture(scope="module")
async def service(database: Database) -> CourseService:
    service = CourseService(database, time_zone="America/Lima")
    for content in (PYTHON, DATA, SQL, OLD):
        await service.upsert_course(content, actor=SERVICE_ACTOR)
    return service


@pytest.fixture(scope="module")
def catalogue(database: Database, service: CourseService) -> Catalogue:
    return Catalogue(database, service)


@pytest.fixture
def python_course() -> CourseContent:
    return PYTHON


@pytest.fixture
def today() -> date:
    return TODAY
