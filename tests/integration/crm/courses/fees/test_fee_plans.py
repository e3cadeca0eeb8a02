"""Lists stay fast: with 20,000 rows a table no page is found by reading one from end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from crm.courses.completion import store as completion
from crm.courses.completion.attendance import store as attendance
from crm.courses.completion.certificates import store as certificates
from crm.courses.fees import store as fees
from crm.courses.fees.applications import store as applications
from crm.courses.fees.terms import store as terms
from crm.courses.models import CohortId
from crm.db import Connection
from crm.ids import PersonId

if TYPE_CHECKING:
    from datetime import datetime

    from conftest import Bursary

ROWS = 20_000
_LARGE = tuple("people enrolments quotes scholarship_applications attendance certificates".split())
_FILL = (
    """
    INSERT INTO people (id, full_name, locale, time_zone, status, created_at, updated_at)
    SELECT gen_random_uuid(), 'Ana', 'es', 'America/Lima', 'active', %(at)s, %(at)s
    FROM generate_series(1, %(rows)s)
    """,
    """
    INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at)
    SELECT gen_random_uuid(), id, (%(cohorts)s::uuid[])[1 + n %% 200],
        CASE n %% 3 WHEN 0 THEN 'completed' ELSE 'confirmed' END, %(at)s - n * interval '1 s'
    FROM (SELECT id, row_number() OVER () AS n FROM people) p
    """,
    """
    INSERT INTO quotes (id, effect_key, cohort_id, person_id, currency, list_minor,
        scholarship_code, net_minor, status, created_at, expires_at, decided_at)
    SELECT id, id::text, cohort_id, person_id, 'USD', 100,
        CASE n %% 50 WHEN 0 THEN %(code)s END, 100,
        CASE n %% 100 WHEN 0 THEN 'accepted' ELSE 'expired' END,
        confirmed_at, confirmed_at + interval '1 min', confirmed_at
    FROM (SELECT *, row_number() OVER () AS n FROM enrolments) e
    """,
    """
    INSERT INTO scholarship_applications (id, scholarship_code, person_id, subject_id, status,
        statement, requested_at, decided_at)
    SELECT id, CASE n %% 50 WHEN 0 THEN %(code)s ELSE %(other)s END, person_id, person_id,
        CASE n %% 50 WHEN 0 THEN 'requested' ELSE 'declined' END, '', confirmed_at,
        CASE n %% 50 WHEN 0 THEN NULL ELSE confirmed_at END
    FROM (SELECT *, row_number() OVER () AS n FROM enrolments) e
    """,
    """
    INSERT INTO attendance (enrolment_id, session_on, mark, marked_at)
    SELECT id, %(at)s::date, 'present', %(at)s FROM enrolments
    """,
    """
    INSERT INTO certificates (number, enrolment_id, person_id, subject_id, holder, course_code,
        title_es, title_en, hours, starts_on, ends_on, issued_on, issued_at, signature)
    SELECT id::text, id, person_id, person_id, '', CASE n %% 50 WHEN 0 THEN 'DAT-201' ELSE
        'PRG-101' END, 'x', 'x', 40, %(at)s::date, %(at)s::date, %(at)s::date, confirmed_at, ''
    FROM (SELECT *, row_number() OVER () AS n FROM enrolments) e
    """,
)


class Crowd:
    """A database full of people, and one of each thing to filter by."""

    def __init__(self, cohort: CohortId, code: str, at: datetime) -> None:
        self.cohort, self.code, self.at = cohort, code, at
        self.person = PersonId(UUID(int=0))
        self.enrolment = UUID(int=0)


@pytest.fixture(scope="module")
async def crowd(bursary: Bursary) -> Crowd:
    cohorts = [await bursary.new_cohort() for _ in range(200)]
    codes = [await bursary.new_scholarship(automatic=True) for _ in range(2)]
    at = bursary.database.clock.now()
    crowd = Crowd(CohortId(cohorts[0]), codes[0], at)
    values = {"at": at, "rows": ROWS, "cohorts": cohorts, "code": codes[0], "other": codes[1]}
    async with bursary.database.transaction() as uow:
        for statement in _FILL:
            await uow.conn.execute(statement, values)
        for table in _LARGE:
            await uow.conn.execute(f"ANALYZE {table}")
        rows = await uow.conn.execute("SELECT id, person_id FROM enrolments LIMIT 1")
        (row,) = await rows.fetchall()
        crowd.person, crowd.enrolment = row["person_id"], row["id"]
    return crowd


class Plans:
    """Explains every SELECT that goes over a connection."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scans: list[str] = []
        self.explained = 0
        real = Connection.execute

        async def explained(conn: Connection, query: str, params: object = None) -> object:
            if query.lstrip().startswith(("SELECT", "UPDATE")):
                cursor = await real(conn, f"EXPLAIN {query}", params)  # type: ignore[arg-type]
                lines = [str(next(iter(row.values()))).strip() for row in await cursor.fetchall()]
                found = [f"Seq Scan on {table} " for table in _LARGE]
                self.scans += [line for line in lines if any(f in f"{line} " for f in found)]
                self.explained += 1
            return await real(conn, query, params)  # type: ignore[arg-type]

        monkeypatch.setattr("psycopg.AsyncConnection.execute", explained)


async def test_pages_of_every_list_are_found_by_index(
    bursary: Bursary, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = Plans(monkeypatch)
    after = (crowd.at, UUID(int=2**128 - 1))
    person = {"person_id": crowd.person}
    async with bursary.database.transaction() as uow:
        conn = uow.conn
        for seen in (None, after):
            for filters in ({}, person, {"cohort_id": crowd.cohort}, {"status": "expired"}):
                assert await fees.select_quotes(conn, filters, after=seen, limit=20)
            for filters in ({}, person, {"scholarship_code": crowd.code}, {"status": "requested"}):
                assert await applications.select_applications(conn, filters, after=seen, limit=20)
        for seen_number in (None, (crowd.at, "z")):
            for filters in ({}, person, {"course_code": "DAT-201"}):
                assert await certificates.select_certificates(
                    conn, filters, after=seen_number, limit=20
                )
        listed = await attendance.select_enrolled(conn, crowd.cohort, after=None, limit=20)
        assert await attendance.select_marks(conn, [one.id for one in listed])
        await terms.select_funds(conn, after="", limit=20)
        await terms.select_discounts(conn, after="", limit=20)
        await fees.select_standing(conn, crowd.person)
        await fees.expire_overdue(conn, at=crowd.at, limit=20)
        await fees.expire_overdue(conn, at=crowd.at, limit=20, scholarship_code=crowd.code)
        assert await completion.select_studies(conn, crowd.enrolment, owner=crowd.person)
        assert await certificates.select_valid(conn, crowd.enrolment)
    assert plans.explained > 30
    assert plans.scans == []
