"""Two records become one person and two again, and nothing is lost (invariant 13)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from crm.actor import SERVICE_ACTOR
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.people.merging.tables import KEPT, MOVED
from tests.integration.crm.people.merges import (
    consent,
    consents_of,
    furnish,
    merge,
    rows_of,
    undo,
    wish,
)

if TYPE_CHECKING:
    from crm.clock import FixedClock

Registry = Any


async def _cohort(registry: Registry) -> object:
    """Return a new cohort of a new course."""
    code, cohort_id = f"X-{new_id().hex[-8:]}", new_id()
    await registry.execute("INSERT INTO areas VALUES ('x', 'Área', 'Area') ON CONFLICT DO NOTHING")
    await registry.execute(
        "INSERT INTO courses VALUES (%s, 'x', 'intro', 'es', 'T', 'T', 'S', 'S', '{}', '{}', '{}', "
        "1, 1, 1, 0, 'PEN', false, true, now())",
        code,
    )
    await registry.execute(
        "INSERT INTO cohorts VALUES (%s, %s, %s, '2027-01-01', '2027-02-01', '2026-12-31', "
        "'online', NULL, '{}', '09:00', '10:00', 9, 0, 0, 'PEN', 'open', now())",
        *(cohort_id, code, code),
    )
    return cohort_id


async def _references(registry: Registry) -> set[tuple[str, str]]:
    async with registry.database.read() as conn:
        rows = await conn.execute(
            """
            SELECT c.conrelid::regclass::text AS t, a.attname AS c
            FROM pg_constraint c
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
            WHERE c.contype = 'f' AND c.confrelid = 'people'::regclass
            UNION
            SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = 'public' AND column_name = 'person_id'
            """
        )
        return {(row["t"], row["c"]) for row in await rows.fetchall()}


async def test_every_column_that_names_a_person_is_known_to_the_merge(registry: Registry) -> None:
    """A new one belongs into MOVED or, with a reason, into KEPT (crm/people/merging/tables.py)."""
    moved = {(m.table, m.column) for m in MOVED}

    assert moved | KEPT.keys() == await _references(registry)
    assert not moved & KEPT.keys()


async def test_every_column_that_moves_has_an_index(registry: Registry) -> None:
    async with registry.database.read() as conn:
        rows = await conn.execute(
            "SELECT i.indrelid::regclass::text AS t, a.attname AS c FROM pg_index i "
            "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        )
        indexed = {(row["t"], row["c"]) for row in await rows.fetchall()}

    assert {(m.table, m.column) for m in MOVED} <= indexed


async def test_all_that_names_the_merged_record_goes_over(registry: Registry) -> None:
    survivor, merged = await registry.new_person(), await registry.new_person()
    await furnish(registry, survivor)
    await furnish(registry, merged)

    await merge(registry, survivor, merged)

    for table in ("conversations", "chat_sessions", "tickets", "invoices", "payments"):
        sql = f"SELECT count(*) FROM {table} WHERE person_id = %s"
        assert await registry.count(sql, survivor.id) == 2
        assert await registry.count(sql, merged.id) == 0
    after = await registry.people.get_person(merged.id, actor=SERVICE_ACTOR)
    assert (after.status, after.merged_into) == ("merged", survivor.id)


async def test_survivor_takes_over_what_was_unknown_of_them(registry: Registry) -> None:
    survivor = await registry.new_person(email=f"{new_id()}@correo.example")
    merged = await registry.new_person(
        email=f"{new_id()}@correo.example", phone="987654001", birth_date=date(2000, 1, 1)
    )

    made = await merge(registry, survivor, merged)
    after = await registry.people.get_person(survivor.id, actor=SERVICE_ACTOR)
    await undo(registry, made.id)
    back = await registry.people.get_person(survivor.id, actor=SERVICE_ACTOR)

    assert (after.email, after.phone) == (survivor.email, merged.phone)
    assert after.birth_date == merged.birth_date
    assert (back.email, back.phone, back.birth_date) == (survivor.email, None, None)


async def test_seat_and_application_that_both_have_stay_with_the_merged_record(
    registry: Registry,
) -> None:
    survivor, merged = await registry.new_person(), await registry.new_person()
    cohort_id, other_id = await _cohort(registry), await _cohort(registry)
    seats = [(survivor.id, cohort_id), (merged.id, cohort_id), (merged.id, other_id)]
    for person_id, cohort in seats:
        await registry.execute(
            "INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at) "
            "VALUES (gen_random_uuid(), %s, %s, 'confirmed', now())",
            *(person_id, cohort),
        )
    for person_id, term in ((survivor.id, "2027-1"), (merged.id, "2027-1"), (merged.id, "2027-2")):
        await registry.execute(
            "INSERT INTO leads (id, person_id, source, term, language, stage, created_at, "
            "stage_since, last_activity_at) "
            "VALUES (gen_random_uuid(), %s, 'staff', %s, 'es', 'lead', now(), now(), now())",
            *(person_id, term),
        )
    before = await rows_of(registry)

    made = await merge(registry, survivor, merged)

    for table in ("enrolments", "leads"):
        sql = f"SELECT count(*) FROM {table} WHERE person_id = %s"
        assert await registry.count(sql, survivor.id) == 2
        assert await registry.count(sql, merged.id) == 1
    await undo(registry, made.id)
    assert await rows_of(registry) == before


async def test_merging_twice_is_merging_once(registry: Registry) -> None:
    survivor, merged = await registry.new_person(), await registry.new_person()
    await furnish(registry, merged)

    first = await merge(registry, survivor, merged)
    rows = await rows_of(registry)
    again = await merge(registry, survivor, merged)

    assert again == first
    assert await rows_of(registry) == rows


async def test_undo_gives_back_every_row_and_nothing_else(
    registry: Registry, clock: FixedClock
) -> None:
    survivor, merged = await registry.new_person(), await registry.new_person()
    for person in (survivor, merged):
        await furnish(registry, person)
    ward = await registry.new_person(birth_date=date(2015, 1, 1), guardian_id=merged.id)
    await consent(registry, merged, True, "email")
    await wish(registry, merged, "sms")
    before = await rows_of(registry)

    made = await merge(registry, survivor, merged)
    assert (await registry.people.get_person(ward.id, actor=SERVICE_ACTOR)).guardian_id == (
        survivor.id
    )
    clock.advance(timedelta(hours=23))
    undone = await undo(registry, made.id)

    assert undone.undone_at == clock.now()
    assert await rows_of(registry) == before
    assert await undo(registry, made.id) == undone
    assert await rows_of(registry) == before


async def test_what_came_after_the_merge_stays_with_the_survivor(registry: Registry) -> None:
    survivor, merged = await registry.new_person(), await registry.new_person()
    made = await merge(registry, survivor, merged)
    await furnish(registry, survivor)

    await undo(registry, made.id)

    sql = "SELECT count(*) FROM tickets WHERE person_id = %s"
    assert await registry.count(sql, survivor.id) == 1


async def test_consent_withdrawn_after_the_merge_is_withdrawn_for_both(
    registry: Registry, clock: FixedClock
) -> None:
    survivor, merged = await registry.new_person(), await registry.new_person()
    await consent(registry, merged, True, "email")
    made = await merge(registry, survivor, merged)
    clock.advance(timedelta(minutes=1))
    await consent(registry, survivor, False, "email")

    await undo(registry, made.id)

    assert await consents_of(registry, survivor) == {"email": False}
    assert await consents_of(registry, merged) == {"email": False}


async def test_undo_is_possible_for_a_day(registry: Registry, clock: FixedClock) -> None:
    made = await merge(registry, await registry.new_person(), await registry.new_person())
    clock.advance(timedelta(hours=24))

    with pytest.raises(RuleBroken, match=r"merge\.too_late"):
        await undo(registry, made.id)


async def test_last_merge_is_undone_first(registry: Registry, clock: FixedClock) -> None:
    survivor = await registry.new_person()
    first = await merge(registry, survivor, await registry.new_person())
    clock.advance(timedelta(seconds=1))
    second = await merge(registry, survivor, await registry.new_person())

    with pytest.raises(Conflict, match=r"merge\.not_last"):
        await undo(registry, first.id)
    await undo(registry, second.id)
    await undo(registry, first.id)


async def test_address_that_was_given_away_meanwhile_stops_the_undo(registry: Registry) -> None:
    email = f"{new_id()}@correo.example"
    survivor = await registry.new_person(email=f"{new_id()}@correo.example")
    made = await merge(registry, survivor, await registry.new_person(email=email))
    await registry.new_person(email=email)

    with pytest.raises(Conflict, match=r"merge\.address_taken"):
        await undo(registry, made.id)


async def test_chain_of_merges_leads_to_the_last(registry: Registry, clock: FixedClock) -> None:
    first, second, third = [await registry.new_person() for _ in range(3)]
    await merge(registry, second, first)
    clock.advance(timedelta(seconds=1))
    later = await merge(registry, third, second)

    assert (await registry.people.get_person(first.id, actor=SERVICE_ACTOR)).merged_into == (
        third.id
    )
    await undo(registry, later.id)
    assert (await registry.people.get_person(first.id, actor=SERVICE_ACTOR)).merged_into == (
        second.id
    )


async def test_pairs_that_are_not_merged(registry: Registry) -> None:
    guardian = await registry.new_person()
    ward = await registry.new_person(birth_date=date(2015, 1, 1), guardian_id=guardian.id)
    other, gone = await registry.new_person(), await registry.new_person()
    await merge(registry, other, gone)

    for survivor, merged, code in (
        (ward, ward, "merge.self"),
        (guardian, ward, "merge.guardian"),
        (ward, guardian, "merge.guardian"),
        (guardian, gone, "person.inactive"),
        (gone, guardian, "person.inactive"),
    ):
        with pytest.raises(RuleBroken) as caught:
            await merge(registry, survivor, merged)
        assert caught.value.code == code
    with pytest.raises(NotFound):
        await undo(registry, new_id())
