"""Lists stay fast: with 20,000 students every list query finds its rows by an index."""

from collections.abc import AsyncIterator

import pytest

from api.bootstrap import Services, open_services
from api.demo.generator import generate
from api.demo.loader import load_demo
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel
from crm.db import Connection
from crm.ids import PersonId, StaffId, SubjectId
from crm.support.commands import TicketFilters

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STUDENTS = 20_000
#: Tables of this size must not be read from end to end for one page.
_LARGE = ("people", "tickets", "conversations", "messages", "enrolments", "consents")


@pytest.fixture(scope="module")
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with open_services(settings) as services:
        await load_demo(services, report=lambda *_: None)
        await generate(services, students=STUDENTS, seed=7, report=lambda *_: None)
        yield services


async def _row(services: Services, sql: str) -> dict[str, object]:
    async with services.database.read() as conn:
        row = await (await conn.execute(sql)).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row


class _Plans:
    """Explains every SELECT that goes over a connection."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scans: list[str] = []
        self.explained = 0
        real = Connection.execute

        async def explained(conn: Connection, query: str, params: object = None) -> object:
            if isinstance(query, str) and query.lstrip().startswith("SELECT"):
                await self._explain(real, conn, query, params)
            return await real(conn, query, params)  # type: ignore[arg-type]

        monkeypatch.setattr("psycopg.AsyncConnection.execute", explained)

    async def _explain(self, real: object, conn: Connection, query: str, params: object) -> None:
        cursor = await real(conn, f"EXPLAIN {query}", params)  # type: ignore[operator]
        lines = [str(next(iter(r.values()))).strip() for r in await cursor.fetchall()]
        found = [f"Seq Scan on {table}" for table in _LARGE]
        self.scans += [line for line in lines if any(f"{f} " in f"{line} " for f in found)]
        self.explained += 1


async def test_pages_of_every_list_are_found_by_index(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await _row(
        services,
        "SELECT person_id, staff_id FROM tickets WHERE staff_id IS NOT NULL ORDER BY id LIMIT 1",
    )
    person_id = PersonId(ticket["person_id"])  # type: ignore[arg-type]
    staff_id = StaffId(ticket["staff_id"])  # type: ignore[arg-type]
    student = Actor(SubjectId(person_id), IdentityLevel.VERIFIED, person_id=person_id)
    plans = _Plans(monkeypatch)

    for filters in (
        TicketFilters(),
        TicketFilters(status="pending"),
        TicketFilters(category="payments", priority="high"),
        TicketFilters(person_id=person_id),
        TicketFilters(staff_id=staff_id, status="open"),
        TicketFilters(unassigned=True, status="open"),
    ):
        first = await services.support.list_tickets(filters, None, 20, actor=SERVICE_ACTOR)
        if first.next_cursor:
            await services.support.list_tickets(filters, first.next_cursor, 20, actor=SERVICE_ACTOR)
    mine = await services.support.list_tickets(actor=student)
    first_cohorts = await services.courses.list_cohorts(limit=20)
    await services.courses.list_cohorts(cursor=first_cohorts.next_cursor, limit=20)
    await services.courses.list_cohorts(open_only=True, limit=20)
    await services.courses.find_courses(["DAT-101", "PRG-101"])
    await services.people.list_people(cursor=None, limit=20, actor=SERVICE_ACTOR)
    await services.conversations.list_conversations(status=None, cursor=None, limit=20)

    assert mine.items
    assert plans.explained > 12
    assert plans.scans == []
