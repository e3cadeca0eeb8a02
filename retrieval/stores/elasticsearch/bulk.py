"""Sends changes in one request and tells, one by one, what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import AsyncElasticsearch

from retrieval.errors import StoreRefused
from retrieval.stores.elasticsearch.changes import Change
from retrieval.stores.elasticsearch.connection import within
from retrieval.stores.elasticsearch.names import index_of

Chunks = Mapping[tuple[int, int], Mapping[str, Any]]

_CONFLICT = 409  # a later claim has written already
_BUSY = 429
_REASON_CHARS = 500


@dataclass(slots=True)
class Outcome:
    """What became of a batch.

    Args:
        taken: the server has them, or has something newer.
        refused: it will never take them, with its reasons.
        postponed: it cannot now, with its reasons.
    """

    taken: list[Change] = field(default_factory=list)
    refused: list[tuple[Change, str]] = field(default_factory=list)
    postponed: list[tuple[Change, str]] = field(default_factory=list)

    def join(self, other: "Outcome") -> "Outcome":
        """Return both together."""
        return Outcome(
            self.taken + other.taken,
            self.refused + other.refused,
            self.postponed + other.postponed,
        )


class Sender:
    """Writes chunks to the indexes of their generations.

    Args:
        limit_s: the longest that one request may take.
    """

    def __init__(self, client: AsyncElasticsearch, *, prefix: str, limit_s: float) -> None:
        self._client = client
        self._prefix = prefix
        self._limit_s = limit_s

    async def send(
        self, changes: Sequence[Change], chunks: Chunks, *, seen_at_once: bool
    ) -> Outcome:
        """Write each chunk as it is now, and delete the ones that are gone.

        A request that is refused as a whole is tried in halves, until the reason stands alone.

        Raises: StoreUnavailable: the server does not answer; nothing is known of the changes.
        """
        try:
            async with within(self._limit_s):
                answer = await self._client.bulk(
                    operations=[o for c in changes for o in self._operations(c, chunks)],
                    refresh=seen_at_once,
                )
        except StoreRefused as refused:
            if len(changes) == 1:
                return Outcome(refused=[(changes[0], refused.safe_message)])
            middle = len(changes) // 2
            first = await self.send(changes[:middle], chunks, seen_at_once=seen_at_once)
            return first.join(await self.send(changes[middle:], chunks, seen_at_once=seen_at_once))
        return _outcome(changes, answer["items"])

    def _operations(self, change: Change, chunks: Chunks) -> list[dict[str, Any]]:
        where = {
            "_index": index_of(self._prefix, change.corpus, change.generation),
            "_id": str(change.chunk_id),
            "version": change.claim,
            "version_type": "external",
        }
        chunk = chunks.get((change.generation, change.chunk_id))
        return [{"delete": where}] if chunk is None else [{"index": where}, _document(chunk)]


def _document(chunk: Mapping[str, Any]) -> dict[str, Any]:
    document = {
        "document_id": chunk["document_id"],
        "slug": chunk["slug"],
        "audience": chunk["audience"],
        "topic": chunk["topic"],
        "valid_from": chunk["valid_from"] and chunk["valid_from"].isoformat(),
        "valid_to": chunk["valid_to"] and chunk["valid_to"].isoformat(),
        "text": f"{chunk['headings']}\n{chunk['body']}",
    }
    if chunk["embedding"] is not None:
        document |= {"embedder": chunk["embedder"], "embedding": chunk["embedding"]}
    return document


def _outcome(changes: Sequence[Change], items: Sequence[Mapping[str, Any]]) -> Outcome:
    outcome = Outcome()
    for change, item in zip(changes, items, strict=True):
        (answer,) = item.values()
        status = answer["status"]
        if status < 300 or status == _CONFLICT or "error" not in answer:
            outcome.taken.append(change)  # without an error: what was to be deleted was not there
        elif status == _BUSY or status >= 500:
            outcome.postponed.append((change, _reason(answer)))
        else:
            outcome.refused.append((change, _reason(answer)))
    return outcome


def _reason(answer: Mapping[str, Any]) -> str:
    error = answer["error"]
    return f"{error['type']}: {error.get('reason', '')}"[:_REASON_CHARS]
