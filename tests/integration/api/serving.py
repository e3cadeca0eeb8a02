"""An application of a few routes on the real services, and its clients."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
from fastapi import FastAPI

from api.bootstrap import open_services
from api.errors import install_error_handlers
from api.routes import auth

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import APIRouter

    from api.settings import Settings


@asynccontextmanager
async def serving(settings: Settings, *routers: APIRouter) -> AsyncIterator[FastAPI]:
    """An application in which staff log in and use these routes."""
    app = FastAPI()
    install_error_handlers(app, settings)
    for router in (auth.router, *routers):
        app.include_router(router)
    async with open_services(settings) as app.state.services:
        yield app


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client that nobody has logged in."""
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://andino.example")


async def log_in(client: httpx.AsyncClient, email: str, password: str) -> dict[str, str]:
    """Open a session and return the header that stands for it."""
    body = {"email": email, "password": password}
    answer = await client.post("/v1/auth/login", json=body)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}
