"""People, staff and conversations on a real database."""

import pytest

from crm.actor import Actor, IdentityLevel, Role
from crm.clock import FixedClock
from crm.db import Database, Pool
from crm.ids import PersonId, StaffId, SubjectId, new_id
from crm.journal.vault import Vault
from crm.support.commands import OpenTicket
from crm.support.models import Ticket
from crm.support.service import SupportService
from tests.integration.crm.conftest import NOW
from tests.rows import Rows


class Desk(Rows):
    """Seats people at the desk, for tests."""

    def __init__(self, database: Database, service: SupportService) -> None:
        self.database = database
        self.service = service

    async def new_staff(self, *, active: bool = True) -> Actor:
        """Add an advisor."""
        staff_id = StaffId(new_id())
        await self.execute(
            "INSERT INTO staff (id, email, name, role, password_hash, active, created_at) "
            "VALUES (%s, %s, 'Lucía', 'advisor', 'x', %s, %s)",
            *(staff_id, f"{staff_id}@andino.example", active, NOW),
        )
        return Actor(
            SubjectId(staff_id), IdentityLevel.VERIFIED, staff_id=staff_id, role=Role.ADVISOR
        )

    async def new_person(self) -> PersonId:
        """Add somebody."""
        person_id = PersonId(new_id())
        await self.execute(
            "INSERT INTO people (id, full_name, locale, time_zone, status, created_at, "
            "updated_at) VALUES (%s, 'Ana', 'es', 'America/Lima', 'active', %s, %s)",
            *(person_id, NOW, NOW),
        )
        return person_id

    async def open(
        self,
        subject_id: SubjectId | None = None,
        *,
        person_id: PersonId | None = None,
        effect_key: str | None = None,
        title: str = "No puedo entrar",
    ) -> Ticket:
        """Open a ticket in a transaction of its own."""
        command = OpenTicket(
            subject_id=subject_id or SubjectId(new_id()),
            person_id=person_id,
            category="technical",
            title=title,
            description="El campus no acepta mi clave.",
            effect_key=effect_key,
        )
        async with self.database.transaction() as uow:
            return await self.service.open_ticket(uow, command)


@pytest.fixture(scope="module")
def database(pool: Pool) -> Database:
    return Database(pool, FixedClock(NOW), Vault(bytes(32)))


@pytest.fixture(scope="module")
def service(database: Database) -> SupportService:
    return SupportService(database)


@pytest.fixture(scope="module")
def desk(database: Database, service: SupportService) -> Desk:
    return Desk(database, service)


@pytest.fixture
async def advisor(desk: Desk) -> Actor:
    return await desk.new_staff()
