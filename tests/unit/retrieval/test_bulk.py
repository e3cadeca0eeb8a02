"""What became of each change of a request is told one by one."""

from __future__ import annotations

from typing import Any

import pytest
from elastic_transport import ApiResponseMeta, ConnectionTimeout, HttpHeaders, NodeConfig
from elasticsearch import ApiError

from retrieval.errors import StoreUnavailable
from retrieval.stores.elasticsearch.bulk import Sender
from retrieval.stores.elasticsearch.changes import Change


class Server:
    """Answers bulk requests as it is told: a status for each chunk, or a refusal of the whole."""

    def __init__(self, statuses: dict[int, int], *, poison: int | None = None) -> None:
        self._statuses = statuses
        self._poison = poison
        self.requests: list[list[int]] = []

    async def bulk(self, *, operations: list[dict[str, Any]], refresh: bool) -> dict[str, Any]:
        heads = [o for o in operations if "index" in o or "delete" in o]
        ids = [int(next(iter(h.values()))["_id"]) for h in heads]
        self.requests.append(ids)
        if self._poison in ids:
            raise api_error(413)
        items = [self._item(next(iter(h)), i) for h, i in zip(heads, ids, strict=True)]
        return {"items": items}

    def _item(self, action: str, chunk_id: int) -> dict[str, Any]:
        status = self._statuses.get(chunk_id, 200)
        answer: dict[str, Any] = {"status": status, "_id": str(chunk_id)}
        if status >= 400 and (action, status) != ("delete", 404):
            answer["error"] = {"type": f"kind_{status}", "reason": "because"}
        return {action: answer}


def api_error(status: int) -> ApiError:
    node = NodeConfig("http", "127.0.0.1", 1)
    return ApiError("too_large", ApiResponseMeta(status, "1.1", HttpHeaders(), 0.0, node), {})


def change(chunk_id: int) -> Change:
    return Change(1, chunk_id, "knowledge", "es", 10, 20, 1)


CHUNK = {
    "document_id": "d",
    "slug": "s",
    "audience": "public",
    "topic": "",
    "valid_from": None,
    "valid_to": None,
    "headings": "T",
    "body": "B",
    "embedding": None,
    "embedder": None,
}


def sender(server: Server) -> Sender:
    return Sender(server, prefix="x", limit_s=5)  # type: ignore[arg-type]


async def test_each_answer_is_told_apart() -> None:
    statuses = {1: 201, 2: 409, 3: 429, 4: 503, 5: 400, 6: 404}
    changes = [change(n) for n in (*statuses, 7)]
    chunks = {(1, n): CHUNK for n in range(1, 6)}
    outcome = await sender(Server({**statuses, 7: 200})).send(changes, chunks, seen_at_once=False)
    assert [c.chunk_id for c in outcome.taken] == [1, 2, 6, 7]
    assert [(c.chunk_id, why) for c, why in outcome.refused] == [(5, "kind_400: because")]
    assert [c.chunk_id for c, _ in outcome.postponed] == [3, 4]


async def test_what_makes_a_server_refuse_a_whole_request_is_found() -> None:
    server = Server({}, poison=5)
    chunks = {(1, n): CHUNK for n in range(8)}
    outcome = await sender(server).send([change(n) for n in range(8)], chunks, seen_at_once=False)
    assert sorted(c.chunk_id for c in outcome.taken) == [0, 1, 2, 3, 4, 6, 7]
    assert [(c.chunk_id, why) for c, why in outcome.refused] == [
        (5, "Elasticsearch answers 413: too_large.")
    ]
    assert len(server.requests) == 7  # found by halving


async def test_a_server_that_does_not_answer_says_nothing_of_the_changes() -> None:
    class Silent(Server):
        async def bulk(self, **_: Any) -> dict[str, Any]:
            raise ConnectionTimeout("none")

    with pytest.raises(StoreUnavailable):
        await sender(Silent({})).send([change(1)], {}, seen_at_once=False)
