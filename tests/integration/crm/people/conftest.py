"""People on a real database."""

import pytest

from crm.actor import Actor, IdentityLevel, Role
from crm.clock import FixedClock
from crm.db import Database, Pool
from crm.ids import PersonId, StaffId, SubjectId, new_id
from crm.journal.service import AuditRecord, JournalService
from crm.journal.vault import Vault
from crm.people.models import CreatePerson, Person
from crm.people.service import PeopleService
from tests.rows import Rows


class Registry(Rows):
    """The service over one database, and what tests ask of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.people = PeopleService(database)
        self.journal = JournalService(database)
        staff_id = StaffId(new_id())
        self.advisor = Actor(
            SubjectId(staff_id), IdentityLevel.VERIFIED, staff_id=staff_id, role=Role.ADVISOR
        )

    async def new_person(self, full_name: str = "Ana Pérez", **facts: object) -> Person:
        """Add somebody."""
        command = CreatePerson(full_name=full_name, **facts)  # type: ignore[arg-type]
        return await self.people.create_person(command, actor=self.advisor)

    async def records_about(self, person_id: PersonId) -> list[AuditRecord]:
        """Return the audit records that concern a person, newest first."""
        page = await self.journal.list_audit_events({}, cursor=None, limit=200)
        return [r for r in page.items if r.header["subject_id"] == person_id]


@pytest.fixture
def registry(pool: Pool, clock: FixedClock) -> Registry:
    return Registry(Database(pool, clock, Vault(bytes(32))))
