"""Searches by meaning: the graph of vectors under a filter, and exact scores of given chunks."""

from collections.abc import Collection, Mapping
from typing import Any

from elasticsearch import AsyncElasticsearch

from retrieval.embed.protocol import Vector
from retrieval.models import Language
from retrieval.stores.elasticsearch.connection import failure_of
from retrieval.stores.elasticsearch.filters import Query, in_scope
from retrieval.stores.protocol import Match, Scope

_MOST_CANDIDATES = 10_000
_FEWEST_CANDIDATES = 200


async def find_near(
    client: AsyncElasticsearch,
    index: str,
    scope: Scope,
    language: Language,
    *,
    vector: Vector,
    embedder_id: str,
    also: Collection[int],
    limit: int,
) -> list[Match]:
    """Return the chunks nearest to a vector, and those in `also`, with their inner product.

    Returns: nothing where the index holds another embedder's vectors.
    """
    filters = [*in_scope(scope), {"term": {"embedder": embedder_id}}]
    asked = [_nearest(vector, filters, k=limit, candidates=max(2 * limit, _FEWEST_CANDIDATES))]
    if also:
        # Of no more chunks than it may return the server computes every score, without the graph.
        ids = {"ids": {"values": [str(i) for i in also]}}
        asked.append(_nearest(vector, [ids, *filters], k=len(also), candidates=len(also)))
    answer = await client.msearch(
        searches=[part for search in asked for part in ({"index": index}, search)]
    )
    hits = [hit for response in answer["responses"] for hit in _hits(response)]
    found = {hit["_id"]: _match(hit, language) for hit in hits}
    return sorted(found.values(), key=lambda m: (-m.score, m.chunk_id))


def _nearest(vector: Vector, filters: list[Query], *, k: int, candidates: int) -> dict[str, Any]:
    return {
        "knn": {
            "field": "embedding",
            "query_vector": [float(x) for x in vector],
            "k": min(k, _MOST_CANDIDATES),
            "num_candidates": min(max(k, candidates), _MOST_CANDIDATES),
            "filter": filters,
        },
        "size": min(k, _MOST_CANDIDATES),
        "_source": ["document_id", "slug"],
        "track_total_hits": False,
    }


def _hits(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "error" in response:
        raise failure_of(response["status"], response["error"]["type"])
    hits: list[Mapping[str, Any]] = response["hits"]["hits"]
    return hits


def _match(hit: Mapping[str, Any], language: Language) -> Match:
    source = hit["_source"]
    near = _inner_product(hit["_score"])
    return Match(int(hit["_id"]), source["document_id"], source["slug"], language, near)


def _inner_product(score: float) -> float:
    """Return the inner product of which the server made a positive score."""
    return score - 1 if score >= 1 else 1 - 1 / score
