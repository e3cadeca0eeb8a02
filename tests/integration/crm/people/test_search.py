"""Staff find people by name, also misspelled, and by address; pages neither skip nor repeat."""

from typing import Any

import pytest

from crm.errors import RuleBroken
from crm.paging import encode_cursor
from crm.people.models import Person

Registry = Any


@pytest.fixture
async def people(registry: Registry) -> dict[str, Person]:
    names = [
        "Ana María Pérez Gómez",
        "María José Muñoz",
        "Sørensen Kierkegaard",
        "Luis O'Brien",
    ]
    made = {}
    for n, name in enumerate(names):
        email = f"persona.{n}@correo.example"
        found = await registry.people.find_by_address(email=email)
        made[name] = found or await registry.new_person(name, email=email)
    if await registry.people.find_by_address(phone="+51987000111") is None:
        await registry.new_person("Con Teléfono", phone="+51987000111")
    return made


async def _find(registry: Registry, query: str | None) -> list[str]:
    page = await registry.people.list_people(query, cursor=None, limit=50, actor=registry.advisor)
    return [person.full_name for person in page.items]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("perez", "Ana María Pérez Gómez"),
        ("PÉREZ ana", "Ana María Pérez Gómez"),
        ("peres gomes", "Ana María Pérez Gómez"),
        ("munoz", "María José Muñoz"),
        ("muñ", "María José Muñoz"),
        ("sorensen", "Sørensen Kierkegaard"),
        ("sørensen", "Sørensen Kierkegaard"),
        ("o'brien", "Luis O'Brien"),
        ("Persona.1@CORREO.example", "María José Muñoz"),
        ("987 000 111", "Con Teléfono"),
        ("+51 987 000 111", "Con Teléfono"),
    ],
)
async def test_person_is_found(
    registry: Registry, people: dict[str, Person], query: str, first: str
) -> None:
    assert (await _find(registry, query))[0] == first


@pytest.mark.parametrize(
    "query", ["nadie así", "' OR 1=1 --", "a:* & !b | ((", "%", "\\", "x@", "@", "½ № ŉ", "🙂"]
)
async def test_odd_queries_find_nobody_and_break_nothing(
    registry: Registry, people: dict[str, Person], query: str
) -> None:
    assert await _find(registry, query) == []


async def test_blank_query_lists_everybody(registry: Registry, people: dict[str, Person]) -> None:
    assert set(people) <= set(await _find(registry, "  "))


async def test_merged_and_erased_people_are_not_listed(registry: Registry) -> None:
    gone = await registry.new_person("Desaparecida Total")
    async with registry.database.transaction() as uow:
        await uow.conn.execute("UPDATE people SET status = 'erased' WHERE id = %s", [gone.id])

    assert "Desaparecida Total" not in await _find(registry, None)
    assert await _find(registry, "desaparecida") == []


@pytest.mark.parametrize("query", [None, "gemela"])
async def test_pages_give_everybody_once(registry: Registry, query: str | None) -> None:
    # All created at one moment with one name: only the id tells them apart.
    twins = {(await registry.new_person("Gemela Idéntica")).id for _ in range(7)}

    seen: list[Person] = []
    cursor: str | None = None
    while True:
        page = await registry.people.list_people(
            query, cursor=cursor, limit=3, actor=registry.advisor
        )
        assert len(page.items) <= 3
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break

    assert len({p.id for p in seen}) == len(seen)
    assert twins <= {p.id for p in seen}


@pytest.mark.parametrize(
    "cursor", ["", "x", "%%%", "ñ", encode_cursor("yesterday", "1"), encode_cursor(1), "WzEsMl0"]
)
@pytest.mark.parametrize("query", [None, "ana"])
async def test_cursor_that_is_not_ours_is_refused(
    registry: Registry, cursor: str, query: str | None
) -> None:
    with pytest.raises(RuleBroken, match=r"page\.cursor"):
        await registry.people.list_people(query, cursor=cursor, limit=3, actor=registry.advisor)


async def test_list_is_audited_without_what_was_typed(registry: Registry) -> None:
    person = await registry.new_person("Buscadísima Persona")

    await _find(registry, "buscadisima")

    page = await registry.journal.list_audit_events({"action": "person.list"}, cursor=None, limit=1)
    assert page.items[0].payload == {"searched": True, "people": [str(person.id)]}


async def test_common_name_is_found_by_its_words_and_a_rarer_one_misspelled_too(
    registry: Registry,
) -> None:
    await registry.new_person("Quintiliana Rara")
    for _ in range(49):
        await registry.new_person("Quintiliano Común")
    assert "Quintiliana Rara" in await _find(registry, "quintiliano")
    await registry.new_person("Quintiliano Último")
    found = await _find(registry, "quintiliano")
    assert len(found) == 50
    assert "Quintiliana Rara" not in found
