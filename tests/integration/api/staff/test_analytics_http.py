"""The numbers over HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.routes import analytics
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from tests.integration.api.serving import client_of, log_in, serving


@pytest.fixture(scope="module")
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(settings, analytics.router) as app, client_of(app) as client:
        services = app.state.services
        command = CreateStaff(
            email="eva@numbers.pe", name="Eva", role=Role.ADVISOR, password="correct horse battery"
        )
        await services.identity.create_staff(command, actor=SERVICE_ACTOR)
        client.headers.update(await log_in(client, "eva@numbers.pe", "correct horse battery"))
        await services.analytics.note_everything()
        await services.analytics.refresh()
        yield client


@pytest.mark.parametrize(
    "path", ["funnel", "responses", "revenue", "receivables", "cohorts", "scores"]
)
async def test_every_number_is_served(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/v1/analytics/{path}")
    assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize("query", ["since=2026-02-01&until=2026-01-01", "since=1990-01-01"])
async def test_impossible_period_is_refused(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/v1/analytics/revenue?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "analytics.period")


@pytest.mark.parametrize("path", ["responses", "revenue"])
@pytest.mark.parametrize("query", ["until=0001-01-01", "since=9999-12-31", "until=9999-12-31"])
async def test_days_beyond_any_calendar_are_refused(
    client: httpx.AsyncClient, path: str, query: str
) -> None:
    answer = await client.get(f"/v1/analytics/{path}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")


async def test_numbers_are_for_staff(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/analytics/funnel", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 401
