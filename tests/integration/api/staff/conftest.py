"""The staff's API on real servers, with routes that break on purpose beside it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from api.bootstrap import Services, open_services
from api.errors import install_error_handlers
from api.routes import admin, auth, people, system
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Role
from crm.errors import Throttled, Unavailable
from crm.identity.models import CreateStaff
from crm.ids import new_id

PASSWORD = "correct horse battery"
SECRET_TEXT = "the cause that nobody outside may read"


class Echo(BaseModel):
    number: int
    text: str = ""


class Office:
    """A client of the API, and the services behind it."""

    def __init__(self, app: FastAPI, services: Services) -> None:
        self.app = app
        self.services = services
        transport = httpx.ASGITransport(app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://office.example")
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
        body = {"email": await self.new_staff(role), "password": PASSWORD}
        answer = await self.client.post("/v1/auth/login", json=body)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def count(self, sql: str, *values: object) -> int:
        """Return the one number a query gives."""
        async with self.services.database.read() as conn:
            rows = await conn.execute(sql, list(values))  # type: ignore[arg-type]
            row = await rows.fetchone()
        return int(row["count"]) if row else 0


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
    app = FastAPI()
    install_error_handlers(app, settings)
    _break_on_purpose(app)
    for module in (auth, people, admin, system):
        app.include_router(module.router)
    async with open_services(settings) as services:
        app.state.services = services
        office = Office(app, services)
        async with office.client:
            yield office


@pytest.fixture(scope="module")
async def advisor(office: Office) -> dict[str, str]:
    return await office.headers("advisor")


@pytest.fixture(scope="module")
async def admin_headers(office: Office) -> dict[str, str]:
    return await office.headers("admin")
