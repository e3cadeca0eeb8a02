"""The staff's API on real servers, with routes that break on purpose beside it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from api.bootstrap import Services
from api.routes import (
    admin,
    contact,
    duplicates,
    erasures,
    invoices,
    payments,
    people,
    system,
)
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Role
from crm.errors import Throttled, Unavailable
from crm.identity.models import CreateStaff
from crm.ids import new_id
from tests.integration.api.serving import client_of, log_in, serving
from tests.rows import Rows

PASSWORD = "correct horse battery"
SECRET_TEXT = "the cause that nobody outside may read"


class Echo(BaseModel):
    number: int
    text: str = ""


class Office(Rows):
    """A client of the API, and the services behind it."""

    def __init__(self, app: FastAPI, services: Services, client: httpx.AsyncClient) -> None:
        self.app = app
        self.services = services
        self.database = services.database
        self.client = client
        self.password = PASSWORD
        self.secret_text = SECRET_TEXT

    async def new_staff(self, role: str) -> str:
        """Open an account and return its e-mail address."""
        command = CreateStaff(
            email=f"{new_id()}@andino.example", name="Eva", role=Role(role), password=PASSWORD
        )
        return (await self.services.identity.create_staff(command, actor=SERVICE_ACTOR)).email

    async def headers(self, role: str) -> dict[str, str]:
        """Log in as somebody new with this role."""
        return await log_in(self.client, await self.new_staff(role), PASSWORD)


def _break_on_purpose(app: FastAPI) -> None:
    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError(SECRET_TEXT)

    @app.get("/throttled")
    async def throttled() -> None:
        raise Throttled("some.limit", "Too fast.", retry_after_s=17)

    @app.get("/unavailable")
    async def unavailable() -> None:
        raise Unavailable("some.server", "Down.")

    @app.post("/echo")
    async def echo(body: Echo) -> Echo:
        return body


@pytest.fixture(scope="module")
async def office(settings: Settings) -> AsyncIterator[Office]:
    settings = settings.model_copy(update={"body_max_bytes": 4_096})
    routers = (
        people.router,
        contact.router,
        duplicates.router,
        admin.router,
        erasures.router,
        invoices.router,
        payments.router,
        system.router,
    )
    async with serving(settings, *routers) as app, client_of(app) as client:
        _break_on_purpose(app)
        yield Office(app, app.state.services, client)


@pytest.fixture(scope="module")
async def advisor(office: Office) -> dict[str, str]:
    return await office.headers("advisor")


@pytest.fixture(scope="module")
async def admin_headers(office: Office) -> dict[str, str]:
    return await office.headers("admin")
