"""Words and centres are kept in step by what changes, and are as if counted anew."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.ingest.service import IngestService
from retrieval.models import Document
from retrieval.stores.pgvector import PgVectorStore, Pool
from tests.counting_embedder import Counting, documents, drain

WORDS = """
    SELECT c.kind, c.language, w.lexeme, count(*) AS chunks
      FROM search_chunks c CROSS JOIN unnest(tsvector_to_array(c.lexemes)) AS w (lexeme)
     GROUP BY c.kind, c.language, w.lexeme ORDER BY 1, 2, 3
"""
CORPORA = """
    SELECT kind, language, count(*) AS chunks, sum(length(lexemes)) AS lexemes
      FROM search_chunks GROUP BY kind, language ORDER BY 1, 2
"""
CENTRES = """
    SELECT kind, language, count(*) AS chunks, sum(embedding::vector)::real[] AS total
      FROM search_vectors WHERE embedder = 'counting@1' GROUP BY kind, language ORDER BY 1, 2
"""


async def check_in_step(pool: Pool) -> None:
    async with pool.connection() as conn:

        async def rows(query: str) -> list[dict[str, object]]:
            return await (await conn.execute(query)).fetchall()  # type: ignore[call-overload, no-any-return]

        assert await rows("SELECT * FROM search_vocabulary ORDER BY 1, 2, 3") == await rows(WORDS)
        kept = await rows(
            "SELECT kind, language, chunks, lexemes FROM search_corpora"
            " WHERE chunks > 0 ORDER BY 1, 2"
        )
        assert kept == await rows(CORPORA)
        centres = await rows(
            "SELECT kind, language, chunks, total::real[] AS total FROM search_centres"
            " WHERE embedder = 'counting@1' ORDER BY 1, 2"
        )
        counted = await rows(CENTRES)
        assert [(c["kind"], c["language"], c["chunks"]) for c in centres] == [
            (c["kind"], c["language"], c["chunks"]) for c in counted
        ]
        for own, true in zip(centres, counted, strict=True):
            assert np.allclose(own["total"], true["total"], atol=1e-4)  # type: ignore[arg-type]


def in_english(document: Document) -> Document:
    return replace(
        document, id=document.id.replace(":es", ":en"), language="en", body="## One\n\nText."
    )


Acts = st.lists(
    st.tuples(
        st.sampled_from(["save", "change", "delete", "withdraw", "embed"]), st.integers(0, 3)
    ),
    max_size=8,
)


@pytest.fixture
def service(store: PgVectorStore) -> IngestService:
    return IngestService(store, Counting())


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=Acts)
async def test_whatever_happens_the_counts_are_right(
    pool: Pool, service: IngestService, acts: list[tuple[str, int]]
) -> None:
    for act, n in acts:
        document = documents(4)[n]
        if act == "save":
            await service.ingest_documents([document, in_english(document)], collection="x")
        elif act == "change":
            changed = replace(document, body=f"{document.body}\n\n## Nuevo {n}\n\nOtra cosa.")
            await service.ingest_documents([changed], collection="x")
        elif act == "delete":
            await service.delete([document.id])
        elif act == "withdraw":
            await service.ingest_documents([document], collection="x", complete=True)
        else:
            await drain(service, 3)
    await drain(service, 50)
    await service.delete([])
    await check_in_step(pool)


async def test_workers_at_once_lose_no_count(
    pool: Pool, service: IngestService, second_store: PgVectorStore
) -> None:
    other = IngestService(second_store, Counting())
    await asyncio.gather(
        *(
            worker.ingest_documents(documents(8)[half : half + 4], collection=f"c{half}")
            for worker in (service, other)
            for half in (0, 4)
        )
    )
    await asyncio.gather(drain(service, 5), drain(other, 5))
    await service.delete([])
    await check_in_step(pool)


async def test_one_more_document_touches_only_its_own_words(
    pool: Pool, service: IngestService, store: PgVectorStore
) -> None:
    await service.ingest_documents(documents(20), collection="x")
    async with pool.connection() as conn:
        before = await conn.execute("SELECT lexeme, xmin::text FROM search_vocabulary")
        stamps = {r["lexeme"]: r["xmin"] for r in await before.fetchall()}
        more = replace(documents(1)[0], id="kb:more:es", slug="more", title="Z", body="Cebra azul.")
        await service.ingest_documents([more], collection="x")
        after = await conn.execute("SELECT lexeme, xmin::text FROM search_vocabulary")
        touched = {
            r["lexeme"] for r in await after.fetchall() if stamps.get(r["lexeme"]) != r["xmin"]
        }
    assert touched == {"z", "cebr", "azul"}
    assert len(stamps) > 20
