"""Leads, advisors and a small catalogue on a real database."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel, Role
from crm.clock import FixedClock
from crm.db import Database, Pool
from crm.ids import PersonId, StaffId, SubjectId, new_id
from crm.journal.vault import Vault
from crm.pipeline import acts, store
from crm.pipeline.activities.acts import note_activity
from crm.pipeline.models import CreateLead, Lead, LeadId, Stage
from crm.pipeline.sla import store as sla
from crm.pipeline.sla.models import SlaClock
from tests.integration.crm.conftest import NOW
from tests.rows import Rows

AREA = "datos"
COURSE = "DAT-101"
PROGRAMME = "DIP-DAT"


class Office(Rows):
    """Makes people, advisors and leads, for tests."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def new_person(self, name: str = "Ana Quispe") -> PersonId:
        """Add somebody."""
        person_id = PersonId(new_id())
        await self.execute(
            "INSERT INTO people (id, full_name, locale, time_zone, status, created_at, updated_at)"
            " VALUES (%s, %s, 'es', 'America/Lima', 'active', %s, %s)",
            *(person_id, name, NOW, NOW),
        )
        return person_id

    async def new_advisor(
        self, languages: tuple[str, ...] = (), areas: tuple[str, ...] = ()
    ) -> Actor:
        """Add an advisor; without a language the rule gives them nothing."""
        staff_id = StaffId(new_id())
        await self.execute(
            "INSERT INTO staff (id, email, name, role, password_hash, languages, areas, created_at)"
            " VALUES (%s, %s, 'Eva', 'advisor', 'x', %s, %s, %s)",
            *(staff_id, f"{staff_id}@andino.example", list(languages), list(areas), NOW),
        )
        return Actor(
            SubjectId(staff_id), IdentityLevel.VERIFIED, staff_id=staff_id, role=Role.ADVISOR
        )

    async def open_lead(self, person_id: PersonId | None = None, **facts: Any) -> Lead:
        """Open a lead in a transaction of its own."""
        command = CreateLead(
            person_id=person_id or await self.new_person(), **{"source": "staff", **facts}
        )
        async with self.database.transaction() as uow:
            return await acts.open_lead(uow, command, actor=SERVICE_ACTOR)

    async def move(self, lead_id: LeadId, to: Stage, **more: Any) -> Lead:
        """Move a lead in a transaction of its own."""
        async with self.database.transaction() as uow:
            return await acts.move_lead(uow, lead_id, to, actor=SERVICE_ACTOR, **more)

    async def lead(self, lead_id: LeadId) -> Lead:
        """Return a lead as it is now."""
        async with self.database.read() as conn:
            lead = await store.select_lead(conn, lead_id)
        assert lead is not None
        return lead

    async def clocks(self, lead_id: LeadId) -> dict[str, SlaClock]:
        """Return the last clock of each target."""
        async with self.database.read() as conn:
            found = await sla.select_clocks(conn, "lead", lead_id)
        return {clock.target: clock for clock in found}

    async def events(self, name: str, **fields: object) -> int:
        """Count the events of a name with these fields."""
        wheres = "".join(f" AND payload->>'{field}' = %s" for field in fields)
        return await self.count(
            f"SELECT count(*) FROM outbox WHERE name = %s{wheres}",
            *(name, *(str(value) for value in fields.values())),
        )

    async def note(self, lead: Lead, kind: Any, direction: Any = None) -> None:
        """Let something happen with a lead now."""
        async with self.database.transaction() as uow:
            await note_activity(
                uow,
                person_id=lead.person_id,
                lead_id=lead.id,
                kind=kind,
                direction=direction,
                about={},
                occurred_at=uow.clock.now(),
                actor=SERVICE_ACTOR,
            )

    async def activities(self, person_id: UUID) -> list[str]:
        """Return the kinds of what happened with a person, sorted."""
        async with self.database.read() as conn:
            rows = await conn.execute(
                "SELECT kind FROM activities WHERE person_id = %s ORDER BY kind", [person_id]
            )
            return [row["kind"] for row in await rows.fetchall()]


async def _load_catalogue(office: Office) -> None:
    await office.execute("INSERT INTO areas VALUES (%s, 'Datos', 'Data')", AREA)
    await office.execute(
        "INSERT INTO courses (code, area, level, language, title_es, title_en, summary_es, "
        "summary_en, outcomes_es, outcomes_en, keywords, hours, weeks, hours_per_week, "
        "price_minor, currency, certificate, updated_at) SELECT c, %s, 'intro', 'es', 'x', 'x', "
        "'x', 'x', '{}', '{}', '{}', 1, 1, 1, 0, 'USD', true, %s "
        "FROM unnest(%s::text[]) AS c",
        *(AREA, NOW, [COURSE, "DAT-999"]),
    )
    await office.execute(
        "INSERT INTO programmes (code, area, level, title_es, title_en, summary_es, summary_en, "
        "admission_es, admission_en, duration_months, credits, fee_minor, currency, updated_at) "
        "VALUES (%s, %s, 'diploma', 'x', 'x', 'x', 'x', 'x', 'x', 1, 1, 0, 'USD', %s)",
        *(PROGRAMME, AREA, NOW),
    )
    await office.execute("INSERT INTO programme_courses VALUES (%s, %s, 1)", PROGRAMME, COURSE)


@pytest.fixture
def clock(pool: Pool) -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="module")
async def catalogue(pool: Pool) -> None:
    await _load_catalogue(Office(Database(pool, FixedClock(NOW), Vault(bytes(32)))))


@pytest.fixture
def database(pool: Pool, clock: FixedClock, catalogue: None) -> Database:
    return Database(pool, clock, Vault(bytes(32)))


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)
