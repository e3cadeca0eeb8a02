"""A whole deployment that searches in Elasticsearch: told of what changes, ready without it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.bootstrap import Services, open_services
from api.settings import Settings
from api.worker.tasks import keep_search
from crm.errors import Unavailable
from retrieval.models import Document
from tests.search_server import SearchServer


@pytest.fixture
def server(server_folder: Path) -> Iterator[SearchServer]:
    server = SearchServer(server_folder / f"search-{secrets.token_hex(4)}")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def elastic_settings(database_url: str, redis_url: str, server: SearchServer) -> Settings:
    return Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        master_key=base64.b64encode(bytes(32)).decode(),
        embedder="none",
        search_store="elasticsearch",
        elasticsearch_url=server.url,
        elasticsearch_timeout_ms=5_000,
    )


@pytest.fixture
async def services(elastic_settings: Settings) -> AsyncIterator[Services]:
    async with open_services(elastic_settings) as services:
        yield services


async def ask(services: Services, question: str) -> list[str]:
    result = await services.knowledge.search(
        question,
        kind="knowledge",
        audiences=frozenset({"public"}),
        on=services.clock.now().date(),
        query_language="es",
    )
    return [h.slug for h in result.hits]


async def test_questions_are_answered_from_before_the_index_is_built_until_after_it_is_lost(
    services: Services, server: SearchServer, elastic_settings: Settings
) -> None:
    text = Document(
        "kb:fees:es", "knowledge", "fees", "es", "Pagos", "La matrícula se paga en marzo."
    )
    await services.ingest.ingest_documents([text], collection="x")
    assert services.elasticsearch is not None
    assert await ask(services, "matrícula") == ["fees"]  # by PostgreSQL
    assert "404" in (services.elasticsearch.store.failure or "")

    await keep_search(services)
    assert await services.elasticsearch.projection.count_searched() == 1
    assert await readiness(services, elastic_settings) == (200, "degraded")  # asked again soon

    server.kill()
    assert await ask(services, "matrícula") == ["fees"]
    assert await readiness(services, elastic_settings) == (200, "degraded")


async def test_a_server_that_searches_is_said_to(
    services: Services, elastic_settings: Settings
) -> None:
    await keep_search(services)
    assert await readiness(services, elastic_settings) == (200, "ok")


async def test_without_an_address_nothing_starts(elastic_settings: Settings) -> None:
    settings = elastic_settings.model_copy(update={"elasticsearch_url": None})
    with pytest.raises(Unavailable, match=r"settings\.elasticsearch"):
        async with open_services(settings):
            pass


async def readiness(services: Services, settings: Settings) -> tuple[int, str]:
    app = create_app(settings)
    app.state.services = services
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/readyz")
    return answer.status_code, answer.json()["checks"]["search"]
