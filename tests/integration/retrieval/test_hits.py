"""What comes with a hit: its neighbours, and never the same passage twice."""

from __future__ import annotations

from retrieval.ingest.service import IngestService
from retrieval.models import Document, SearchResult
from retrieval.search import KnowledgeSearch
from retrieval.stores.pgvector import PgVectorStore
from tests.integration.retrieval.conftest import TODAY

FILLING = "Las reglas de la casa se leen en la entrada y valen para todas las personas. " * 12
LONG = (
    f"## Antes\n\nNada de esto.\n\n## Custodia\n\nPrimero se avisa. {FILLING}\n\n"
    f"El paraguas perdido se guarda un trimestre. {FILLING}\n\nDespués se dona. {FILLING}\n\n"
    "## Luego\n\nTampoco esto."
)
RULE = "El telescopio se presta {} días a quien deja su carné en la recepción del observatorio."


def document(slug: str, body: str) -> Document:
    return Document(
        id=f"kb:{slug}:es", kind="knowledge", slug=slug, language="es", title=slug, body=body
    )


async def ask(store: PgVectorStore, query: str, *documents: Document) -> SearchResult:
    await IngestService(store, None).ingest_documents(documents, collection="x")
    return await KnowledgeSearch(store, None).search(
        query,
        kind="knowledge",
        audiences=frozenset({"public"}),
        on=TODAY,
        query_language="es",
    )


async def test_a_hit_brings_what_stands_beside_it_under_its_heading(store: PgVectorStore) -> None:
    result = await ask(store, "paraguas perdido", document("reglas", LONG))
    best = result.hits[0]
    assert "paraguas" in best.text
    assert best.before
    assert best.after
    assert "paraguas" not in best.before + best.after
    assert "esto" not in best.section
    body = "".join(LONG.split())
    assert "".join(best.section.split()) in body


async def test_a_short_section_has_no_neighbours(store: PgVectorStore) -> None:
    body = "## Uno\n\nEl lunes.\n\n## Dos\n\nEl martes toca piano.\n\n## Tres\n\nEl jueves."
    result = await ask(store, "piano", document("dias", body))
    assert (result.hits[0].before, result.hits[0].after) == ("", "")
    assert result.hits[0].section == "El martes toca piano."


async def test_a_copy_is_found_once_and_another_rule_beside_it(store: PgVectorStore) -> None:
    found = await ask(
        store,
        "cuántos días se presta el telescopio",
        document("prestamos", RULE.format("tres")),
        document("copia", RULE.format("tres")),
        document("docentes", RULE.format(30)),
    )
    assert [h.text for h in found.hits].count(RULE.format("tres")) == 1
    assert RULE.format(30) in {h.text for h in found.hits}
