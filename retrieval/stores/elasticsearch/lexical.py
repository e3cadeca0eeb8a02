"""Searches by words: BM25 on the server, and how much of the query each chunk holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from elasticsearch import AsyncElasticsearch

from retrieval.models import Language
from retrieval.stores.elasticsearch.filters import in_scope
from retrieval.stores.elasticsearch.typos import best_correction
from retrieval.stores.protocol import Match, Scope
from retrieval.stores.terms import (
    MIN_SIMILARITY,
    MIN_TYPO_CHARS,
    Correction,
    Term,
    inverse_frequency,
    weigh_terms,
)

#: Of longer queries the most telling words are looked for; servers refuse some thousands.
_MOST_TERMS = 256
_OPTIONS = 10


async def terms_of(client: AsyncElasticsearch, index: str, text: str) -> tuple[list[Term], int]:
    """Return the words of a query that occur in an index, weighed, and its number of chunks."""
    counts, total = await _count_terms(client, index, text)
    unknown = [t for t, chunks in counts.items() if not chunks and len(t) >= MIN_TYPO_CHARS]
    corrections = await _correct(client, index, unknown[:_MOST_TERMS])
    terms = weigh_terms(counts, corrections, total=total)
    return sorted(terms, key=lambda t: -t.share)[:_MOST_TERMS], total


async def _count_terms(
    client: AsyncElasticsearch, index: str, text: str
) -> tuple[dict[str, int], int]:
    """Let the server analyse the query as it does texts, and tell how rare its words are."""
    answer = await client.termvectors(
        index=index,
        doc={"text": text},
        fields=["text"],
        term_statistics=True,
        field_statistics=True,
        positions=False,
        offsets=False,
    )
    found = answer["term_vectors"].get("text", {"terms": {}})
    counts = {term: int(t.get("doc_freq", 0)) for term, t in found["terms"].items()}
    return counts, int(found.get("field_statistics", {}).get("doc_count", 0))


async def _correct(
    client: AsyncElasticsearch, index: str, unknown: Sequence[str]
) -> dict[str, Correction]:
    if not unknown:
        return {}
    # In Spanish the first letter is often the wrong one: b for v, a silent h.
    suggester = {
        "field": "text",
        "analyzer": "whitespace",
        "suggest_mode": "missing",
        "max_edits": 2,
        "prefix_length": 0,
        "min_word_length": MIN_TYPO_CHARS,
        "size": _OPTIONS,
    }
    answer = await client.search(
        index=index, size=0, suggest={"typos": {"text": " ".join(unknown), "term": suggester}}
    )
    meant = {
        entry["text"]: best_correction(entry["text"], entry["options"], least=MIN_SIMILARITY)
        for entry in answer["suggest"]["typos"]
    }
    return {typed: correction for typed, correction in meant.items() if correction}


async def rank(
    client: AsyncElasticsearch,
    index: str,
    scope: Scope,
    language: Language,
    *,
    terms: Sequence[Term],
    total: int,
    limit: int,
) -> list[Match]:
    """Return the chunks with any of the words, those with the most telling ones first.

    One query for any of them is enough: Lucene passes over the chunks that cannot come among the
    first without scoring them.
    """
    answer = await client.search(
        index=index,
        query=_any_of(terms, total, scope),
        size=limit,
        source_includes=["document_id", "slug"],
        track_total_hits=False,
        allow_partial_search_results=False,
    )
    found = [_match(hit, terms, language) for hit in answer["hits"]["hits"]]
    return sorted(found, key=lambda m: (-m.score, m.chunk_id))


def _any_of(terms: Sequence[Term], total: int, scope: Scope) -> dict[str, Any]:
    clauses = [
        {"term": {"text": {"value": t.lexeme, "boost": _boost(t, total), "_name": str(n)}}}
        for n, t in enumerate(terms)
    ]
    return {"bool": {"should": clauses, "minimum_should_match": 1, "filter": in_scope(scope)}}


def _boost(term: Term, total: int) -> float:
    """Return 1, less for a correction; how rare a word is the server knows itself."""
    return term.weight / inverse_frequency(term.chunks, total)


def _match(hit: Mapping[str, Any], terms: Sequence[Term], language: Language) -> Match:
    coverage = sum(terms[int(name)].share for name in hit["matched_queries"])
    source = hit["_source"]
    return Match(
        int(hit["_id"]), source["document_id"], source["slug"], language, hit["_score"], coverage
    )
