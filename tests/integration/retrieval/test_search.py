"""Search on PostgreSQL: both languages, filters, typos, and without vectors."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from retrieval.embed.use import UniversalSentenceEncoder
from retrieval.ingest.service import IngestService
from retrieval.models import Document, Language, SearchResult
from retrieval.search import KnowledgeSearch
from retrieval.stores.pgvector import PgVectorStore, Pool
from tests.integration.retrieval.conftest import TODAY


class Broken(UniversalSentenceEncoder):
    """An embedder whose model file is missing."""

    def _load(self) -> object:
        raise FileNotFoundError("no model")


TEXTS = {
    ("refunds", "es", "public"): ("Devoluciones", "La devolución tarda diez días hábiles."),
    ("refunds", "en", "public"): ("Refunds", "A refund takes ten business days."),
    ("visa", "es", "public"): ("Visa", "Los estudiantes extranjeros necesitan una visa."),
    ("library", "en", "students"): ("Library", "The library opens at nine in the morning."),
    ("diseno", "es", "public"): ("Diseño", "Los años de diseño y las certificaciones."),
    ("margins", "es", "staff"): ("Márgenes", "El margen secreto de descuento es veinte."),
    ("campus", "es", "public"): ("Campus", "Hay una rampa y un ascensor en la sede."),
}
PUBLIC = frozenset({"public"})


def documents() -> list[Document]:
    return [
        Document(
            id=f"kb:{slug}:{language}",
            kind="knowledge",
            slug=slug,
            language=language,  # type: ignore[arg-type]
            audience=audience,  # type: ignore[arg-type]
            title=title,
            body=f"## {title} detalle\n\n{body}",
            metadata={"source": slug},
        )
        for (slug, language, audience), (title, body) in TEXTS.items()
    ]


@pytest.fixture(scope="module")
async def index(pool: Pool, fast: UniversalSentenceEncoder) -> PgVectorStore:
    store = PgVectorStore(pool)
    service = IngestService(store, fast)
    await service.ingest_documents(documents(), collection="x")
    while await service.embed_pending():
        pass
    return store


@pytest.fixture(scope="module")
def hybrid(index: PgVectorStore, fast: UniversalSentenceEncoder) -> KnowledgeSearch:
    return KnowledgeSearch(index, fast)


@pytest.fixture(scope="module")
def lexical(index: PgVectorStore) -> KnowledgeSearch:
    return KnowledgeSearch(index, None)


async def ask(
    search: KnowledgeSearch,
    query: str,
    *,
    language: Language | None = "es",
    audiences: Iterable[str] = PUBLIC,
    languages: frozenset[Language] | None = None,
) -> SearchResult:
    return await search.search(
        query,
        kind="knowledge",
        audiences=frozenset(audiences),
        on=TODAY,
        query_language=language,
        languages=languages,
    )


async def test_a_spanish_question_finds_the_spanish_document(hybrid: KnowledgeSearch) -> None:
    result = await ask(hybrid, "¿Cuánto demora la devolución?", language=None)
    best = result.hits[0]
    assert (result.query_language, result.mode) == ("es", "hybrid")
    assert (best.document_id, best.anchor) == ("kb:refunds:es", "devoluciones-detalle")
    assert best.url == "/knowledge/kb:refunds:es@1#devoluciones-detalle"
    assert best.heading_path == ("Devoluciones", "Devoluciones detalle")
    assert best.metadata == {"source": "refunds"}
    assert result.confidence > 0.5


async def test_an_english_question_finds_a_document_that_is_only_in_spanish(
    hybrid: KnowledgeSearch,
) -> None:
    result = await ask(hybrid, "Do foreign students need a visa?", language=None)
    assert result.query_language == "en"
    assert result.hits[0].document_id == "kb:visa:es"


@pytest.mark.parametrize("language", ["es", "en"])
async def test_of_a_translated_document_only_the_readers_language_is_shown(
    hybrid: KnowledgeSearch, language: Language
) -> None:
    result = await ask(hybrid, "refund devolución", language=language)
    found = [h.language for h in result.hits if h.slug == "refunds"]
    assert found == [language]


async def test_a_question_in_the_other_language_is_looked_up_as_such(
    lexical: KnowledgeSearch,
) -> None:
    result = await ask(lexical, "How many business days does it take to get it back?")
    assert result.query_language == "en"
    assert result.hits[0].document_id == "kb:refunds:en"


async def test_languages_can_be_asked_for(hybrid: KnowledgeSearch) -> None:
    result = await ask(hybrid, "¿Cuánto demora la devolución?", languages=frozenset({"en"}))
    assert {h.language for h in result.hits} == {"en"}
    assert result.hits[0].slug == "refunds"


@pytest.mark.parametrize(
    "audiences", [{"public"}, {"students"}, {"public", "students"}, {"staff"}, set()]
)
@pytest.mark.parametrize("query", ["margen secreto de descuento veinte", "library", "descuento"])
@pytest.mark.parametrize("kind", ["hybrid", "lexical"])
async def test_only_documents_of_the_given_audiences_are_ever_returned(
    kind: str, query: str, audiences: set[str], request: pytest.FixtureRequest
) -> None:
    search: KnowledgeSearch = request.getfixturevalue(kind)
    result = await ask(search, query, audiences=audiences)
    assert {h.audience for h in result.hits} <= audiences
    assert bool(result.hits) == bool(audiences) or kind == "lexical"


async def test_staff_find_their_documents(hybrid: KnowledgeSearch) -> None:
    result = await ask(hybrid, "margen de descuento", audiences={"public", "staff"})
    assert result.hits[0].slug == "margins"


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("DEVOLUCION", "refunds"),
        ("devoluciones", "refunds"),
        ("diseno", "diseno"),
        ("certificacion", "diseno"),
        ("certificación de los anos", "diseno"),
        ("asensor", "campus"),
        ("extrangeros", "visa"),
        ("ascensor y otras palabras que no aparecen", "campus"),
    ],
)
async def test_words_are_found_without_accents_in_other_forms_and_with_typos(
    lexical: KnowledgeSearch, query: str, slug: str
) -> None:
    result = await ask(lexical, query)
    assert result.mode == "lexical"
    assert result.hits[0].slug == slug


async def test_without_vectors_names_are_found_in_the_other_language_too(
    lexical: KnowledgeSearch,
) -> None:
    result = await ask(lexical, "library", audiences={"students"}, language="es")
    assert [h.slug for h in result.hits] == ["library"]


async def test_a_failing_embedder_leaves_search_by_words(index: PgVectorStore) -> None:
    result = await ask(KnowledgeSearch(index, Broken(threads=1)), "devolución")
    assert (result.mode, result.hits[0].slug) == ("lexical", "refunds")


@pytest.mark.parametrize("query", ["", "   ", "\x00", "¿?", "de la que", "' | !& <-> :*", "%s \\"])
async def test_queries_without_words_do_no_harm(lexical: KnowledgeSearch, query: str) -> None:
    result = await ask(lexical, query)
    assert result.hits == ()
    assert result.confidence == 0


async def test_a_very_long_query_is_answered(hybrid: KnowledgeSearch) -> None:
    result = await ask(hybrid, "devolución " * 5_000)
    assert result.hits[0].slug == "refunds"


async def test_a_question_about_something_else_gets_less_confidence(
    hybrid: KnowledgeSearch, lexical: KnowledgeSearch
) -> None:
    for search in (hybrid, lexical):
        good = await ask(search, "¿Cuánto tarda la devolución?")
        bad = await ask(search, "¿Quién ganó el partido de fútbol ayer?")
        assert bad.confidence < 0.5 < good.confidence
