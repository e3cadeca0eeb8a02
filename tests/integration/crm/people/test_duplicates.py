"""Records of one person are found by index and suggested until somebody decides."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from crm.actor import SERVICE_ACTOR
from crm.errors import NotFound
from crm.ids import PersonId, new_id
from crm.people.duplicates import store
from crm.people.duplicates.service import DuplicateService
from crm.people.merging.service import MergeService

Registry = Any


def _address() -> str:
    return f"{new_id().hex}@gmail.com"


async def _check_all(registry: Registry) -> None:
    while await DuplicateService(registry.database).check_due():
        pass


async def _suggested(registry: Registry) -> dict[frozenset[PersonId], Any]:
    found: dict[frozenset[PersonId], Any] = {}
    cursor = None
    while True:
        page = await DuplicateService(registry.database).list_suggestions(
            cursor=cursor, limit=2, actor=SERVICE_ACTOR
        )
        for suggestion in page.items:
            pair = frozenset((suggestion.first.id, suggestion.second.id))
            assert pair not in found
            found[pair] = suggestion
        cursor = page.next_cursor
        if cursor is None:
            return found


async def _pair(registry: Registry, name: str) -> tuple[Any, Any]:
    address = _address()
    tagged = address.replace("@", "+curso@")
    return (
        await registry.new_person(name, email=address),
        await registry.new_person(name, email=tagged),
    )


async def test_new_person_is_compared_and_suggested_once(registry: Registry) -> None:
    first, second = await _pair(registry, "Rosaura Villanueva")

    await _check_all(registry)
    await _check_all(registry)

    suggestion = (await _suggested(registry))[frozenset((first.id, second.id))]
    assert (suggestion.score, suggestion.reasons) == (100, ("email", "name"))
    assert await registry.count("SELECT count(*) FROM duplicate_queue") == 0


async def test_change_that_makes_two_alike_is_noticed_and_one_that_parts_them(
    registry: Registry,
) -> None:
    first, second = await _pair(registry, "Teodolinda Huamán")
    await _check_all(registry)

    await registry.people.update_person(
        second.id, {"email": _address()}, actor=SERVICE_ACTOR, expected_version=1
    )
    await _check_all(registry)

    assert frozenset((first.id, second.id)) not in await _suggested(registry)


async def test_person_without_news_is_not_compared_again(registry: Registry) -> None:
    person = await registry.new_person("Ambrosio Ticona")
    await _check_all(registry)

    await registry.people.update_person(
        person.id, {"locale": "en"}, actor=SERVICE_ACTOR, expected_version=1
    )

    assert await registry.count("SELECT count(*) FROM duplicate_queue") == 0


async def test_candidates_of_one_person_are_audited_with_all_whom_they_show(
    registry: Registry,
) -> None:
    first, second = await _pair(registry, "Hermenegildo Apaza")
    service = DuplicateService(registry.database)

    (candidate,) = await service.candidates(first.id, actor=registry.advisor)

    assert candidate.person.id == second.id
    sql = "SELECT count(*) FROM record_accesses WHERE person_id = %s AND action = %s"
    for person in (first, second):
        assert await registry.count(sql, person.id, "person.duplicates") == 1
    with pytest.raises(NotFound):
        await service.candidates(PersonId(new_id()), actor=registry.advisor)


async def test_dismissed_pair_is_not_suggested_again(registry: Registry) -> None:
    first, second = await _pair(registry, "Casimira Yupanqui")
    await _check_all(registry)
    service, pair = DuplicateService(registry.database), frozenset((first.id, second.id))

    suggestion = (await _suggested(registry))[pair]
    await service.dismiss(suggestion.id, actor=SERVICE_ACTOR)
    await service.dismiss(suggestion.id, actor=SERVICE_ACTOR)
    await registry.people.update_person(
        second.id, {"full_name": "Casimira Yupanqui R."}, actor=SERVICE_ACTOR, expected_version=1
    )
    await _check_all(registry)

    assert pair not in await _suggested(registry)
    assert await service.candidates(first.id, actor=SERVICE_ACTOR) == ()


async def test_merged_pair_is_no_suggestion_and_an_undone_one_neither(registry: Registry) -> None:
    first, second = await _pair(registry, "Eustaquio Mamani")
    await _check_all(registry)
    merges, pair = MergeService(registry.database), frozenset((first.id, second.id))

    merge = await merges.merge(first.id, second.id, actor=SERVICE_ACTOR)
    assert pair not in await _suggested(registry)
    await merges.undo(merge.id, actor=SERVICE_ACTOR)
    await _check_all(registry)

    assert pair not in await _suggested(registry)


async def test_same_birthday_and_a_name_spelled_otherwise_is_suggested(registry: Registry) -> None:
    born = date(1987, 3, 14)
    first = await registry.new_person("Ana María Choquehuanca", birth_date=born)
    second = await registry.new_person("Choquehuanka, Ana Maria", birth_date=born)
    await registry.new_person("Luis Alberto Rodríguez", birth_date=born)

    await _check_all(registry)

    pairs = [pair for pair in await _suggested(registry) if first.id in pair]
    assert pairs == [frozenset((first.id, second.id))]


async def test_namesake_is_shown_to_whoever_asks_and_not_suggested(registry: Registry) -> None:
    first = await registry.new_person("Policarpo Ñahui Sulca")
    second = await registry.new_person("Policarpo Nahui Sulca")
    await _check_all(registry)

    (shown,) = await DuplicateService(registry.database).candidates(first.id, actor=SERVICE_ACTOR)

    assert (shown.person.id, shown.reasons) == (second.id, ("name",))
    assert frozenset((first.id, second.id)) not in await _suggested(registry)


async def _crowd(registry: Registry) -> None:
    await registry.execute(
        "INSERT INTO people (id, full_name, email, phone, locale, time_zone, status, created_at, "
        "updated_at) SELECT gen_random_uuid(), 'Persona ' || md5(n::text), md5(n::text) || "
        "'@x.example', '+5191' || lpad(n::text, 7, '0'), 'es', 'America/Lima', 'active', now(), "
        "now() FROM generate_series(1, 20000) n ON CONFLICT DO NOTHING"
    )
    await registry.execute("DELETE FROM duplicate_queue")
    await registry.execute("ANALYZE people")


async def test_candidates_are_found_by_index(registry: Registry) -> None:
    """Among many, no person is compared with all of them."""
    await _crowd(registry)
    first, second = await _pair(registry, "Filomena Condori")

    async with registry.database.transaction() as uow:
        await uow.conn.execute("SET LOCAL enable_seqscan = on")
        before = await _scans(uow.conn)
        found = await store.select_candidates(uow.conn, [first.id], by_name=True)
        after = await _scans(uow.conn)

    assert [other.id for _, other in found] == [second.id]
    assert after == before


async def test_page_of_suggestions_is_found_by_index(registry: Registry) -> None:
    await _crowd(registry)
    await registry.execute(
        "INSERT INTO duplicate_suggestions SELECT gen_random_uuid(), least(a, b), greatest(a, b), "
        "70, '{name}', 'open', now() FROM (SELECT id AS a, lead(id) OVER (ORDER BY id) AS b "
        "FROM people WHERE status = 'active') n WHERE b IS NOT NULL ON CONFLICT DO NOTHING"
    )
    await registry.execute("ANALYZE duplicate_suggestions")

    async with registry.database.transaction() as uow:
        before = await _scans(uow.conn, "duplicate_suggestions")
        rows = await store.select_suggestions(uow.conn, after=(70, new_id()), limit=50)
        after = await _scans(uow.conn, "duplicate_suggestions")
    await registry.execute("DELETE FROM duplicate_suggestions WHERE reasons = '{name}'")

    assert len(rows) == 50
    assert after == before


async def _scans(conn: Any, table: str = "people") -> int:
    rows = await conn.execute("SELECT pg_stat_get_xact_numscans(%s::regclass) AS n", [table])
    row = await rows.fetchone()
    return int(row["n"])
