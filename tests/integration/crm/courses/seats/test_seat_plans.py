"""Queries of seats find their rows by an index, however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from crm.actor import SERVICE_ACTOR
from crm.courses.enrolments.models import EnrolmentFilters

if TYPE_CHECKING:
    import pytest
    from conftest import Hall

_LARGE = ("enrolments", "seat_holds", "waitlist_entries", "people", "cohorts")


async def _fill(hall: Hall) -> None:
    """Thirty people in each of a thousand cohorts, in every state."""
    cohort = await hall.new_cohort(9)
    await hall.execute(
        "INSERT INTO cohorts SELECT (jsonb_populate_record(c, jsonb_build_object("
        "'id', gen_random_uuid(), 'code', 'BULK-' || n))).* "
        "FROM cohorts c, generate_series(1, 1000) n WHERE c.id = %s",
        cohort.id,
    )
    await hall.execute(
        "INSERT INTO people (id, full_name, locale, time_zone, status, created_at, updated_at) "
        "SELECT gen_random_uuid(), 'Ana', 'es', 'America/Lima', 'active', now(), now() "
        "FROM generate_series(1, 5000)"
    )
    pairs = (
        "FROM (SELECT c.id AS c, p.id AS p, row_number() OVER () AS n FROM "
        "(SELECT id, row_number() OVER () AS i FROM cohorts) c JOIN "
        "(SELECT id, row_number() OVER () AS i FROM people) p ON p.i %% 167 = c.i %% 167) x"
    )
    await hall.execute(
        "INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at) "
        "SELECT gen_random_uuid(), p, c, (ARRAY['confirmed', 'completed', 'withdrawn'])[1 + n %% 3]"
        f", now() - n * interval '1 minute' {pairs}"
    )
    await hall.execute(
        "INSERT INTO waitlist_entries (id, cohort_id, person_id, status, joined_at, ended_at) "
        "SELECT gen_random_uuid(), c, p, CASE WHEN n %% 9 = 0 THEN 'waiting' ELSE 'left' END, "
        f"now() - n * interval '1 minute', CASE WHEN n %% 9 > 0 THEN now() END {pairs}"
    )
    await hall.execute(
        "INSERT INTO seat_holds (id, cohort_id, person_id, kind, status, created_at, expires_at, "
        "ended_at) SELECT gen_random_uuid(), c, p, 'student', "
        "CASE WHEN n %% 9 = 1 THEN 'live' ELSE 'released' END, now() - n * interval '1 minute', "
        f"now() + interval '1 year', CASE WHEN n %% 9 <> 1 THEN now() END {pairs}"
    )
    await hall.execute("ANALYZE enrolments, waitlist_entries, seat_holds, people, cohorts")


class _Watch:
    """Explains every statement that reads or changes rows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scans: list[str] = []
        self.explained = 0
        real = psycopg.AsyncCursor.execute

        async def explained(cursor: Any, query: Any, params: Any = None, **kwargs: Any) -> Any:
            words = query.split(maxsplit=1) if isinstance(query, str) else ["?"]
            if words[0] in ("SELECT", "UPDATE"):
                plan = cursor.connection.cursor()
                await real(plan, f"EXPLAIN {query}", params)
                lines = [str(next(iter(r.values()))).strip() for r in await plan.fetchall()]
                found = [f"Seq Scan on {table} " for table in _LARGE]
                self.scans += [f"{x} in {query}" for x in lines if any(f in x + " " for f in found)]
                self.explained += 1
            return await real(cursor, query, params, **kwargs)

        monkeypatch.setattr(psycopg.AsyncCursor, "execute", explained)


async def test_no_query_of_seats_reads_a_table_from_end_to_end(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _fill(hall)
    cohort, full = await hall.new_cohort(3), await hall.new_cohort(1)
    person, other = await hall.new_person(), await hall.new_person()
    watch = _Watch(monkeypatch)

    taken = await hall.enrol(person, full)
    entry = await hall.join(other, full)
    await hall.transfer(taken.id, cohort)
    assert (await hall.entry(entry)).status == "offered"
    await hall.expire()
    for filters in (
        EnrolmentFilters(),
        EnrolmentFilters(status="withdrawn"),
        EnrolmentFilters(cohort_id=cohort.id),
        EnrolmentFilters(person_id=person, status="confirmed"),
    ):
        first = await hall.enrolments.list_enrolments(filters, limit=20, actor=SERVICE_ACTOR)
        if first.next_cursor:
            await hall.enrolments.list_enrolments(
                filters, cursor=first.next_cursor, limit=20, actor=SERVICE_ACTOR
            )
    await hall.enrolments.list_enrolments(actor=hall.student(person))
    for live_only in (True, False):
        await hall.seats.list_holds(cohort.id, live_only=live_only, actor=SERVICE_ACTOR)
    await hall.seats.list_waitlist(full.id, actor=SERVICE_ACTOR)
    await hall.catalogue.service.list_cohorts(open_only=True, limit=20)

    assert watch.scans == []
    assert watch.explained > 40
