"""Two records become one person and two again, and nothing is lost (invariant 13)."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.actor import SERVICE_ACTOR
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.people.contact.models import ContactPreferences
from crm.people.contact.service import PreferenceService
from crm.people.merging.service import MergeService
from crm.people.merging.tables import KEPT, MOVED
from crm.people.models import GiveConsent

if TYPE_CHECKING:
    from crm.clock import FixedClock
    from crm.people.models import Person

Registry = Any
#: Records of what was done, and of the merge itself: these only grow.
JOURNAL = {"audit_events", "audit_chains", "outbox", "record_accesses", "subject_keys"}
OWN = {"person_merges", "person_merge_moves", "duplicate_queue", "duplicate_suggestions"}


async def _merge(registry: Registry, survivor: Person, merged: Person) -> Any:
    return await MergeService(registry.database).merge(survivor.id, merged.id, actor=SERVICE_ACTOR)


async def _undo(registry: Registry, merge_id: object) -> Any:
    return await MergeService(registry.database).undo(merge_id, actor=SERVICE_ACTOR)


async def _consent(registry: Registry, person: Person, granted: bool, channel: str) -> None:
    command = GiveConsent(
        person_id=person.id,
        channel=channel,  # type: ignore[arg-type]
        purpose="marketing",
        granted=granted,
        source="staff",
        text_version="1",
    )
    await registry.people.record_consent(command, actor=SERVICE_ACTOR)


async def _consents_of(registry: Registry, person: Person) -> dict[str, bool]:
    found = await registry.people.current_consents(person.id, actor=SERVICE_ACTOR)
    return {c.channel: c.granted for c in found}


async def _opted_out(registry: Registry, person: Person) -> frozenset[str]:
    service = PreferenceService(registry.database)
    found = await service.get_preferences(person.id, actor=SERVICE_ACTOR)
    return frozenset(found.opted_out)


async def _wish(registry: Registry, person: Person, *channels: Any) -> None:
    await PreferenceService(registry.database).set_preferences(
        person.id, ContactPreferences(None, frozenset(channels)), actor=SERVICE_ACTOR
    )


async def _furnish(registry: Registry, person: Person) -> None:
    """Give somebody a conversation with a message and a session, a ticket and a code."""
    conversation_id = await registry.new_conversation(person.id)
    await registry.execute(
        "UPDATE conversations SET person_id = %s WHERE id = %s", person.id, conversation_id
    )
    await registry.execute(
        "INSERT INTO messages (id, conversation_id, role, source, external_id, body, created_at) "
        "VALUES (gen_random_uuid(), %s, 'student', 'widget', gen_random_uuid(), 'Hola', now())",
        conversation_id,
    )
    await registry.execute(
        "INSERT INTO chat_sessions VALUES (uuid_send(gen_random_uuid()), %s, %s, %s, 2, now(), "
        "now())",
        *(conversation_id, person.id, person.id),
    )
    await registry.execute(
        "INSERT INTO tickets (id, subject_id, person_id, category, title, description, priority, "
        "status, created_at, updated_at) VALUES (gen_random_uuid(), %s, %s, 'other', 'Título', "
        "'Texto', 'normal', 'open', now(), now())",
        *(person.id, person.id),
    )

    await _owe(registry, person)


async def _owe(registry: Registry, person: Person) -> None:
    """Give somebody an invoice and a payment of it."""
    invoice_id, key = new_id(), str(new_id())
    await registry.execute(
        "INSERT INTO invoices (id, reference, person_id, debtor_id, net_minor, currency, "
        "created_at) VALUES (%s, %s, %s, %s, 500, 'PEN', now())",
        *(invoice_id, key, person.id, person.id),
    )
    await registry.execute(
        "INSERT INTO payments (id, invoice_id, person_id, gateway, amount_minor, currency, "
        "effect_key, status, version, created_at, updated_at) "
        "VALUES (gen_random_uuid(), %s, %s, 'manual', 500, 'PEN', %s, 'initiated', 1, now(), "
        "now())",
        *(invoice_id, person.id, key),
    )


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


async def _rows(registry: Registry) -> dict[str, Counter[str]]:
    """Return every row of every table that is not a mere record of what was done."""
    found: dict[str, Counter[str]] = {}
    async with registry.database.read() as conn:
        tables = await conn.execute(
            "SELECT table_name AS name FROM information_schema.tables "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for table in await tables.fetchall():
            if table["name"] in JOURNAL | OWN:
                continue
            rows = await conn.execute(
                f"SELECT (to_jsonb(t) - 'version' - 'updated_at')::text AS row "
                f'FROM "{table["name"]}" t'
            )
            found[table["name"]] = Counter(row["row"] for row in await rows.fetchall())
    return found


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
    await _furnish(registry, survivor)
    await _furnish(registry, merged)

    await _merge(registry, survivor, merged)

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

    merge = await _merge(registry, survivor, merged)
    after = await registry.people.get_person(survivor.id, actor=SERVICE_ACTOR)
    await _undo(registry, merge.id)
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
    before = await _rows(registry)

    merge = await _merge(registry, survivor, merged)

    for table in ("enrolments", "leads"):
        sql = f"SELECT count(*) FROM {table} WHERE person_id = %s"
        assert await registry.count(sql, survivor.id) == 2
        assert await registry.count(sql, merged.id) == 1
    await _undo(registry, merge.id)
    assert await _rows(registry) == before


async def test_merging_twice_is_merging_once(registry: Registry) -> None:
    survivor, merged = await registry.new_person(), await registry.new_person()
    await _furnish(registry, merged)

    first = await _merge(registry, survivor, merged)
    rows = await _rows(registry)
    again = await _merge(registry, survivor, merged)

    assert again == first
    assert await _rows(registry) == rows


async def test_undo_gives_back_every_row_and_nothing_else(
    registry: Registry, clock: FixedClock
) -> None:
    survivor, merged = await registry.new_person(), await registry.new_person()
    for person in (survivor, merged):
        await _furnish(registry, person)
    ward = await registry.new_person(birth_date=date(2015, 1, 1), guardian_id=merged.id)
    await _consent(registry, merged, True, "email")
    await _wish(registry, merged, "sms")
    before = await _rows(registry)

    merge = await _merge(registry, survivor, merged)
    assert (await registry.people.get_person(ward.id, actor=SERVICE_ACTOR)).guardian_id == (
        survivor.id
    )
    clock.advance(timedelta(hours=23))
    undone = await _undo(registry, merge.id)

    assert undone.undone_at == clock.now()
    assert await _rows(registry) == before
    assert await _undo(registry, merge.id) == undone
    assert await _rows(registry) == before


async def test_what_came_after_the_merge_stays_with_the_survivor(registry: Registry) -> None:
    survivor, merged = await registry.new_person(), await registry.new_person()
    merge = await _merge(registry, survivor, merged)
    await _furnish(registry, survivor)

    await _undo(registry, merge.id)

    sql = "SELECT count(*) FROM tickets WHERE person_id = %s"
    assert await registry.count(sql, survivor.id) == 1


async def test_consent_withdrawn_after_the_merge_is_withdrawn_for_both(
    registry: Registry, clock: FixedClock
) -> None:
    survivor, merged = await registry.new_person(), await registry.new_person()
    await _consent(registry, merged, True, "email")
    merge = await _merge(registry, survivor, merged)
    clock.advance(timedelta(minutes=1))
    await _consent(registry, survivor, False, "email")

    await _undo(registry, merge.id)

    assert await _consents_of(registry, survivor) == {"email": False}
    assert await _consents_of(registry, merged) == {"email": False}


async def test_undo_is_possible_for_a_day(registry: Registry, clock: FixedClock) -> None:
    merge = await _merge(registry, await registry.new_person(), await registry.new_person())
    clock.advance(timedelta(hours=24))

    with pytest.raises(RuleBroken, match=r"merge\.too_late"):
        await _undo(registry, merge.id)


async def test_last_merge_is_undone_first(registry: Registry, clock: FixedClock) -> None:
    survivor = await registry.new_person()
    first = await _merge(registry, survivor, await registry.new_person())
    clock.advance(timedelta(seconds=1))
    second = await _merge(registry, survivor, await registry.new_person())

    with pytest.raises(Conflict, match=r"merge\.not_last"):
        await _undo(registry, first.id)
    await _undo(registry, second.id)
    await _undo(registry, first.id)


async def test_address_that_was_given_away_meanwhile_stops_the_undo(registry: Registry) -> None:
    email = f"{new_id()}@correo.example"
    survivor = await registry.new_person(email=f"{new_id()}@correo.example")
    merge = await _merge(registry, survivor, await registry.new_person(email=email))
    await registry.new_person(email=email)

    with pytest.raises(Conflict, match=r"merge\.address_taken"):
        await _undo(registry, merge.id)


async def test_chain_of_merges_leads_to_the_last(registry: Registry, clock: FixedClock) -> None:
    first, second, third = [await registry.new_person() for _ in range(3)]
    await _merge(registry, second, first)
    clock.advance(timedelta(seconds=1))
    later = await _merge(registry, third, second)

    assert (await registry.people.get_person(first.id, actor=SERVICE_ACTOR)).merged_into == (
        third.id
    )
    await _undo(registry, later.id)
    assert (await registry.people.get_person(first.id, actor=SERVICE_ACTOR)).merged_into == (
        second.id
    )


async def test_pairs_that_are_not_merged(registry: Registry) -> None:
    guardian = await registry.new_person()
    ward = await registry.new_person(birth_date=date(2015, 1, 1), guardian_id=guardian.id)
    other, gone = await registry.new_person(), await registry.new_person()
    await _merge(registry, other, gone)

    for survivor, merged, code in (
        (ward, ward, "merge.self"),
        (guardian, ward, "merge.guardian"),
        (ward, guardian, "merge.guardian"),
        (guardian, gone, "person.inactive"),
        (gone, guardian, "person.inactive"),
    ):
        with pytest.raises(RuleBroken) as caught:
            await _merge(registry, survivor, merged)
        assert caught.value.code == code
    with pytest.raises(NotFound):
        await _undo(registry, new_id())


PEOPLE = st.integers(0, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("furnish"), PEOPLE),
        st.tuples(st.just("consent"), PEOPLE, st.sampled_from(["email", "sms"]), st.booleans()),
        st.tuples(st.just("wish"), PEOPLE, st.sampled_from(["email", "sms"])),
        st.tuples(st.just("merge"), PEOPLE, PEOPLE),
        st.tuples(st.just("merge"), PEOPLE, PEOPLE),
        st.tuples(st.just("undo")),
    ),
    max_size=10,
)
GROWING = ("conversations", "messages", "tickets", "chat_sessions", "invoices", "payments")


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
async def test_any_order_of_merges_and_undos_conserves_all(
    registry: Registry, clock: FixedClock, steps: list[tuple[Any, ...]]
) -> None:
    people = [await registry.new_person() for _ in range(3)]
    merges: list[Any] = []
    furnished = 0
    start = await _rows(registry)
    for name, *args in steps:
        clock.advance(timedelta(seconds=1))
        if name == "furnish":
            await _furnish(registry, people[args[0]])
            furnished += 1
        elif name == "consent":
            await _try_consent(registry, people[args[0]], args[2], args[1])
        elif name == "wish":
            await _try_wish(registry, people[args[0]], args[1])
        elif name == "merge":
            merges += await _try_merge(registry, people[args[0]], people[args[1]])
        elif merges:
            await _undo(registry, merges.pop().id)
        rows = await _rows(registry)
        for table in GROWING:
            assert rows[table].total() == start[table].total() + furnished
    await _unwind(registry, people, merges)


async def _try_consent(registry: Registry, person: Person, granted: bool, channel: str) -> None:
    try:
        await _consent(registry, person, granted, channel)
    except RuleBroken as refused:
        assert refused.code == "person.inactive"  # noqa: PT017


async def _try_wish(registry: Registry, person: Person, channel: str) -> None:
    try:
        await _wish(registry, person, channel)
    except RuleBroken as refused:
        assert refused.code == "person.inactive"  # noqa: PT017


async def _try_merge(registry: Registry, survivor: Person, merged: Person) -> list[Any]:
    said = [await _consents_of(registry, p) for p in (survivor, merged)]
    refused = [await _opted_out(registry, p) for p in (survivor, merged)]
    rows = await _rows(registry)
    try:
        merge = await _merge(registry, survivor, merged)
    except RuleBroken:
        assert await _rows(registry) == rows
        return []
    if merge.merged_at != registry.database.clock.now():
        assert await _rows(registry) == rows  # they had been merged before
        return []
    for channel, granted in (await _consents_of(registry, survivor)).items():
        assert granted is all(by.get(channel, True) for by in said)
    assert (await _consents_of(registry, survivor)).keys() == said[0].keys() | said[1].keys()
    assert await _opted_out(registry, survivor) == refused[0] | refused[1]
    await _undo(registry, merge.id)
    assert await _rows(registry) == rows
    return [await _merge(registry, survivor, merged)]


async def _unwind(registry: Registry, people: list[Person], merges: list[Any]) -> None:
    for merge in reversed(merges):
        await _undo(registry, merge.id)
    for person in people:
        found = await registry.people.get_person(person.id, actor=SERVICE_ACTOR)
        assert (found.status, found.email, found.phone) == ("active", person.email, person.phone)
