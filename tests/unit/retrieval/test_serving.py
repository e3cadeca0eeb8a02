"""Questions are embedded as the vectors were that they are compared with, and once."""

from __future__ import annotations

from retrieval.embed.protocol import OpenEmbedder
from retrieval.embed.recent import RecentQueries
from retrieval.embed.serving import ServingEmbedder
from tests.counting_embedder import Counting


class Index:
    """Says who serves, and how often it was asked."""

    def __init__(self, serving: str | None) -> None:
        self.serving = serving
        self.asked = 0

    async def get_serving(self) -> str | None:
        self.asked += 1
        return self.serving


async def current(serving: ServingEmbedder) -> str | None:
    embedder = await serving.current()
    return embedder and embedder.id


async def test_the_one_that_serves_is_taken_until_it_no_longer_does() -> None:
    now, index = [0.0], Index("old@1")
    loaded: list[str] = []

    def load(embedder_id: str) -> OpenEmbedder:
        loaded.append(embedder_id)
        return Counting(embedder_id)

    serving = ServingEmbedder(index, Counting("new@1"), load, clock=lambda: now[0])
    assert await current(serving) == "old@1"
    index.serving = "new@1"
    assert await current(serving) == "old@1"
    assert index.asked == 1
    now[0] = 5
    assert await current(serving) == "new@1"
    index.serving = "old@1"
    now[0] = 10
    assert await current(serving) == "old@1"
    now[0] = 15
    assert await current(serving) == "old@1"
    assert loaded == ["old@1", "old@1"]


async def test_an_empty_index_is_searched_by_the_one_that_is_set() -> None:
    serving = ServingEmbedder(Index(None), Counting("new@1"), lambda _: None)
    assert await current(serving) == "new@1"


async def test_one_that_cannot_be_loaded_leaves_words() -> None:
    serving = ServingEmbedder(Index("old@1"), Counting("new@1"), lambda _: None)
    assert await current(serving) is None


async def test_a_question_that_was_asked_lately_is_not_embedded_again() -> None:
    embedder = Counting()
    recent = RecentQueries(embedder, most=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        await recent.embed_query(text)
    assert embedder.texts == {"a": 1, "b": 2, "c": 1}
    await recent.embed_passages(["a"])
    assert embedder.texts["a"] == 2
    assert recent.id == embedder.id
