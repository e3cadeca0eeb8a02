"""Embeddings over OpenAI's protocol, from a real local server with every fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from retrieval.embed.circuit import FAILURES, OPEN_S, Circuit
from retrieval.embed.openai import Endpoint, OpenAIEmbedder, Patience
from retrieval.errors import EmbedderUnavailable
from retrieval.ingest.service import IngestService
from retrieval.search import KnowledgeSearch
from retrieval.stores.pgvector import PgVectorStore
from tests.counting_embedder import documents, drain
from tests.integration.retrieval.conftest import TODAY
from tests.openai_server import OpenAIServer, embed, garbage, hang, openai_server, status

TRIES = 3
DIMENSIONS = 1_536


@pytest.fixture(scope="module")
def running() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def server(running: OpenAIServer) -> OpenAIServer:
    running.reset()
    running.otherwise = embed(DIMENSIONS)
    return running


class Waits(list[float]):
    """Remembers how long was waited, without waiting."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)


Make = Callable[..., OpenAIEmbedder]


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def make(server: OpenAIServer, waits: Waits) -> AsyncIterator[Make]:
    """Makes embedders on the server; a hanging one is given up after half a second."""
    made: list[OpenAIEmbedder] = []

    def build(
        *, dimensions: int | None = None, batch: int = 64, circuit: Circuit | None = None
    ) -> OpenAIEmbedder:
        endpoint = Endpoint(
            "small", server.base_url, SecretStr("sesame"), dimensions=dimensions, batch=batch
        )
        patience = Patience(timeout_s=0.5, tries=TRIES, longest_wait_s=20)
        made.append(
            OpenAIEmbedder(
                endpoint, asking=patience, filling=patience, circuit=circuit, sleep=waits.sleep
            )
        )
        return made[-1]

    yield build
    for embedder in made:
        await embedder.aclose()


async def test_vectors_come_normalised_in_the_order_of_the_texts(
    server: OpenAIServer, make: Make
) -> None:
    server.will(embed(DIMENSIONS, shuffled=True))
    rows = await make().embed_passages(["a", "bb", "ccc"])
    assert rows.shape == (3, DIMENSIONS)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1, 1])
    assert [int(row.argmax()) for row in rows] == [1, 2, 3]
    assert (await make().embed_passages([])).shape[0] == 0


async def test_what_is_asked_is_what_the_protocol_wants(server: OpenAIServer, make: Make) -> None:
    vector = await make(dimensions=256).embed_query("hola")
    assert vector.shape == (256,)
    assert server.requests == [
        {"model": "small", "input": ["hola"], "encoding_format": "float", "dimensions": 256}
    ]


async def test_many_texts_are_asked_for_in_batches(server: OpenAIServer, make: Make) -> None:
    rows = await make(batch=4).embed_passages([f"texto {n}" for n in range(10)])
    assert len(rows) == 10
    assert [len(request["input"]) for request in server.requests] == [4, 4, 2]


@pytest.mark.parametrize("fault", [status(500), status(503), hang(), status(429)])
async def test_a_passing_fault_is_tried_again(
    server: OpenAIServer, make: Make, waits: Waits, fault: Callable[..., object]
) -> None:
    server.will(fault, fault)  # type: ignore[arg-type]
    assert (await make().embed_query("hola")).shape == (DIMENSIONS,)
    assert len(server.requests) == TRIES
    assert waits == [0.5, 1.0]


async def test_a_busy_server_says_how_long_to_wait(
    server: OpenAIServer, make: Make, waits: Waits
) -> None:
    server.will(status(429, retry_after="7"))
    await make().embed_query("hola")
    assert waits == [7.0]


async def test_who_would_have_to_wait_too_long_does_not(
    server: OpenAIServer, make: Make, waits: Waits
) -> None:
    server.will(status(429, retry_after="3600"))
    with pytest.raises(EmbedderUnavailable):
        await make().embed_query("hola")
    assert waits == []


@pytest.mark.parametrize(
    "fault",
    [
        status(400),
        status(401),
        status(404),
        garbage(),
        garbage(b"{}"),
        garbage(b'{"data": [{"index": 0, "embedding": ["x"]}]}'),
        garbage(b'{"data": [{"index": 0, "embedding": [NaN, 1.0]}]}'),
        garbage(b'{"data": [{"index": 0, "embedding": []}]}'),
        garbage(b'{"data": [{"index": 5, "embedding": [1.0]}]}'),
        embed(DIMENSIONS, fewer=1),
        garbage(b""),
    ],
)
async def test_an_answer_that_no_second_try_mends_is_not_tried_again(
    server: OpenAIServer, make: Make, fault: Callable[..., object]
) -> None:
    server.will(fault)  # type: ignore[arg-type]
    with pytest.raises(EmbedderUnavailable):
        await make().embed_query("hola")
    assert len(server.requests) == 1


async def test_vectors_of_another_size_than_asked_for_or_than_before_are_refused(
    server: OpenAIServer, make: Make
) -> None:
    server.will(garbage(b'{"data": [{"index": 0, "embedding": [1.0, 2.0]}]}'))
    with pytest.raises(EmbedderUnavailable):
        await make(dimensions=256).embed_query("hola")
    embedder = make()
    await embedder.embed_query("hola")
    server.will(embed(512))
    with pytest.raises(EmbedderUnavailable):
        await embedder.embed_query("hola")


async def test_nobody_listens(make: Make, waits: Waits) -> None:
    nowhere = OpenAIEmbedder(
        Endpoint("small", "http://127.0.0.1:9/v1"),
        asking=Patience(timeout_s=0.5, tries=2, longest_wait_s=1),
        sleep=waits.sleep,
    )
    with pytest.raises(EmbedderUnavailable):
        await nowhere.embed_query("hola")
    await nowhere.aclose()
    assert waits == [0.5]


async def test_after_failures_in_a_row_the_server_is_left_alone(
    server: OpenAIServer, make: Make
) -> None:
    now = [0.0]
    embedder = make(circuit=Circuit(lambda: now[0]))
    server.will(*[status(401)] * (FAILURES + 1))
    for _ in range(FAILURES + 2):
        with pytest.raises(EmbedderUnavailable):
            await embedder.embed_query("hola")
    assert len(server.requests) == FAILURES
    now[0] = OPEN_S
    for _ in range(2):  # one finds out that it still fails, the next does not try
        with pytest.raises(EmbedderUnavailable):
            await embedder.embed_query("hola")
    assert len(server.requests) == FAILURES + 1
    now[0] = 2 * OPEN_S
    for _ in range(2):
        await embedder.embed_query("hola")
    assert len(server.requests) == FAILURES + 3


async def test_who_gives_up_waiting_leaves_the_embedder_usable(
    server: OpenAIServer, make: Make
) -> None:
    embedder = make()
    server.will(hang())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(embedder.embed_query("hola"), 0.1)
    assert (await embedder.embed_query("hola")).shape == (DIMENSIONS,)


def test_another_endpoint_or_size_is_another_embedder() -> None:
    one = Endpoint("small")
    ids = [
        OpenAIEmbedder(endpoint).id
        for endpoint in (
            one,
            Endpoint("small", base_url="https://api.openai.com/v1/"),
            Endpoint("small", dimensions=256),
            Endpoint("small", base_url="http://127.0.0.1:1/v1"),
            Endpoint("large"),
        )
    ]
    assert ids[:3] == ["openai/small@full", "openai/small@full", "openai/small@256"]
    assert len(set(ids)) == 4


async def test_search_answers_by_words_while_the_server_fails(
    store: PgVectorStore, server: OpenAIServer, make: Make
) -> None:
    embedder = make()
    service = IngestService(store, embedder)
    await service.ingest_documents(documents(2), collection="x")
    await drain(service, 10)
    search = KnowledgeSearch(store, embedder)

    async def mode() -> str:
        result = await search.search(
            "texto del documento",
            kind="knowledge",
            audiences=frozenset({"public"}),
            on=TODAY,
            query_language="es",
        )
        assert result.hits
        return result.mode

    assert await mode() == "hybrid"
    server.will(status(401), garbage())
    assert await mode() == "lexical"
    assert await mode() == "lexical"
    assert await mode() == "hybrid"


async def test_a_redirect_is_not_followed_with_the_key(server: OpenAIServer, make: Make) -> None:
    server.will(status(307, location=f"{server.base_url}/embeddings"))
    with pytest.raises(EmbedderUnavailable):
        await make().embed_query("hola")
    assert len(server.requests) == 1


def test_the_server_is_a_real_one(server: OpenAIServer) -> None:
    body = {"model": "m", "input": ["x"]}
    answer = httpx.post(f"{server.base_url}/embeddings", json=body)
    assert len(answer.json()["data"][0]["embedding"]) == DIMENSIONS
