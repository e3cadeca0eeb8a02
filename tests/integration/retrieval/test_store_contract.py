"""What every search store does alike with words: forms, typos, coverage, hostile queries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.stores.pgvector import Pool
from tests.integration.retrieval.shelves import (
    Shelf,
    document,
    elasticsearch_shelf,
    empty,
    find_words,
    postgres_shelf,
    put,
    slugs,
)

SPANISH = [
    document("refund", "La devolución tarda diez días hábiles en llegar a la cuenta."),
    document("visa", "Los estudiantes extranjeros necesitan una visa para viajar."),
    document("design", "El diseño gráfico dura dos años y da tres certificaciones."),
    document("campus", "Hay una rampa y un ascensor en la sede del centro."),
    document("hostel", "La residencia tiene calefacción y lavandería."),
]
ENGLISH = [
    document("refund", "A refund takes ten business days to reach the account.", "en"),
    document("library", "The library opens at nine and lends laptops to students.", "en"),
    document("policies", "Policies on plagiarism are explained during orientation.", "en"),
]


@pytest.fixture(scope="module")
async def both(pool: Pool, elasticsearch_url: str) -> AsyncIterator[dict[str, Shelf]]:
    """The same documents, searched in each of the ways that there are."""
    store = await empty(pool)
    async with elasticsearch_shelf(pool, elasticsearch_url) as elastic:
        await put(elastic, [*SPANISH, *ENGLISH])
        yield {"pgvector": postgres_shelf(store), "elasticsearch": elastic}


@pytest.fixture(params=["pgvector", "elasticsearch"])
def library(request: pytest.FixtureRequest, both: dict[str, Shelf]) -> Shelf:
    """Documents in both languages that are only read."""
    return both[request.param]


# --- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("devolución", "refund"),
        ("DEVOLUCION", "refund"),
        ("devoluciones", "refund"),
        ("estudiante extranjera", "visa"),
        ("viajes", "visa"),
        ("diseno grafico", "design"),
        ("diseños", "design"),
        ("certificación", "design"),
        ("certificacion", "design"),
        ("ascensores", "campus"),
        ("asensor", "campus"),
        ("extrangeros", "visa"),
        ("debolución", "refund"),
        ("recidencia", "hostel"),
        ("hascensor", "campus"),
        ("ascensor zapatería", "campus"),
    ],
)
async def test_spanish_words_are_found_in_other_forms_without_accents_and_with_typos(
    library: Shelf, query: str, slug: str
) -> None:
    assert slugs(await find_words(library, query))[:1] == [slug]


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("refunds", "refund"),
        ("REFUNDED", "refund"),
        ("business day", "refund"),
        ("libraries", "library"),
        ("lending a laptop", "library"),
        ("policy", "policies"),
        ("explaining plagiarism", "policies"),
        ("plagarism", "policies"),
        ("libary", "library"),
    ],
)
async def test_english_words_are_found_in_other_forms_and_with_typos(
    library: Shelf, query: str, slug: str
) -> None:
    assert slugs(await find_words(library, query, "en"))[:1] == [slug]


@pytest.mark.parametrize("query", ["de la que los", "zapatería", "", "¿?", "el"])
async def test_stop_words_and_words_that_nothing_holds_find_nothing(
    library: Shelf, query: str
) -> None:
    assert await find_words(library, query) == []


async def test_coverage_is_the_share_of_the_query_that_a_chunk_holds(library: Shelf) -> None:
    (whole,) = await find_words(library, "rampa ascensor")
    assert whole.coverage == pytest.approx(1)
    found = {m.slug: m.coverage for m in await find_words(library, "rampa visa")}
    assert found == {"campus": pytest.approx(0.5), "visa": pytest.approx(0.5)}
    # Nothing holds the other two words, which are rarer than any: they weigh the most.
    (some,) = await find_words(library, "rampa zapatería holograma")
    assert 0.2 < some.coverage < 1 / 3
    (typo,) = await find_words(library, "asensor")
    assert 0.3 < typo.coverage < 1


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    query=st.lists(
        st.sampled_from("devolución visa años rampa cuenta sede zapatería asensor".split()),
        min_size=1,
        max_size=6,
        unique=True,
    )
)
async def test_of_any_query_coverage_is_a_share_and_scores_fall(
    library: Shelf, query: list[str]
) -> None:
    found = await find_words(library, " ".join(query))
    assert all(0 < m.coverage <= 1 + 1e-6 for m in found)
    assert [m.score for m in found] == sorted((m.score for m in found), reverse=True)
    assert len({m.chunk_id for m in found}) == len(found)
    if sum(m.coverage > 1 - 1e-6 for m in found):
        assert not {"zapatería", "asensor"} & set(query)


# --- hostile queries ----------------------------------------------------------------------------

HOSTILE = [
    "' | !& <-> :* \\ ''",
    'title:"devolución" AND body:* OR -x +y ~2 ^9 [a TO z] {1 TO 2} /.*/',
    '{"match_all": {}}',
    "\x00devolución\x00",
    "\ud83d\ude00 \U0001f393 \u202e devolución \u200d",
    "(a+)+$ (((((((((( .*.*.*.*.*.*.*.*.*.*! ?????",
    "%s %(x)s %% $1 {} {0} __import__ ; DROP TABLE search_chunks; --",
    "../../etc/passwd <script>alert(1)</script> ${jndi:ldap://x}",
    "*" * 500 + "?" * 500,
    "ﬁ Ⅷ ½ ¹ ﷺ İ ß 漢字 العربية",
]


@pytest.mark.parametrize("query", HOSTILE)
async def test_hostile_queries_are_words_and_nothing_else(library: Shelf, query: str) -> None:
    found = await find_words(library, query)
    assert slugs(found) == (["refund"] if "devolución" in query else [])


@pytest.mark.parametrize(
    "query",
    [
        "devolución " * 1_000,
        "a" * 10_000,
        " ".join(f"palabra{n}" for n in range(1_200)) + " devolución",
        "\u0301" * 10_000 + " devolución",
    ],
)
async def test_ten_thousand_characters_are_answered(library: Shelf, query: str) -> None:
    found = await find_words(library, query)
    assert slugs(found) == (["refund"] if "devolución" in query else [])


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(query=st.text(max_size=80))
async def test_any_text_is_answered(library: Shelf, query: str) -> None:
    found = await find_words(library, query)
    assert all(0 < m.coverage <= 1 + 1e-6 for m in found)


async def test_searches_at_once_find_what_each_finds_alone(library: Shelf) -> None:
    queries = ["devolución", "visa", "asensor", "años diseño", "zapatería", "la"] * 5
    alone = [await find_words(library, query) for query in queries]
    assert await asyncio.gather(*(find_words(library, query) for query in queries)) == alone
