"""A database with the demo institution, and the application over it."""

from collections.abc import AsyncIterator

import pytest

from api.app import create_app
from api.settings import Settings
from tests.demo_database import settings_of
from tests.integration.api.serving import client_of, log_in
from tests.integration.api.target import Target


@pytest.fixture(scope="module")
def demo_settings(demo_database_url: str, redis_url: str) -> Settings:
    """Settings of a process that serves this module's copy of the demo institution."""
    return settings_of(demo_database_url, redis_url, payment_gateway="sandbox")


@pytest.fixture(scope="module")
async def target(demo_settings: Settings) -> AsyncIterator[Target]:
    """The whole application, with a student's and an administrator's sessions."""
    app = create_app(demo_settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        target = Target(app, app.state.services, client)
        started = await client.post("/v1/chat/sessions", json={})
        target.student = {"Authorization": f"Bearer {started.json()['session_token']}"}
        target.staff = await log_in(client, "admin@andino.example", "andino-admin-demo")
        yield target
