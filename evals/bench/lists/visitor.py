"""A member of staff who looks at everything, in process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
from fastapi import FastAPI

from api.bootstrap import Services
from api.errors import install_error_handlers
from api.routes import ROUTERS
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from crm.ids import new_id
from evals.bench.lists import store
from evals.bench.lists.tour import tour

#: What the demo has none of; its details are looked up and not found.
_MADE_UP = ("merge", "hold", "saga", "quote", "import", "run", "ingest", "appointment")
_PASSWORD = "looks at everything 1"  # noqa: S105 (of an account of a throwaway database)


def application(services: Services) -> FastAPI:
    """Return an application of all routes on these services."""
    app = FastAPI()
    install_error_handlers(app, services.settings)
    for router in ROUTERS:
        app.include_router(router)
    app.state.services = services
    return app


@asynccontextmanager
async def visitor(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """Lend a client that an administrator has logged in, on an application of all routes."""
    app = application(services)
    account = CreateStaff(
        email=f"{new_id()}@andino.example", name="Eva", role=Role("admin"), password=_PASSWORD
    )
    await services.identity.create_staff(account, actor=SERVICE_ACTOR)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://andino.example") as client:
        body = {"email": account.email, "password": _PASSWORD}
        token = (await client.post("/v1/auth/login", json=body)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def following_address(address: str, answer: httpx.Response) -> str | None:
    """Return the address of the page after an answer, if there is one."""
    page = answer.json() if answer.is_success else None
    cursor = page.get("next_cursor") if isinstance(page, dict) else None
    return str(httpx.URL(address).copy_merge_params({"cursor": cursor})) if cursor else None


async def addresses(services: Services) -> list[str]:
    """Return the tour of what this institution has."""
    async with services.database.read() as conn:
        found = await store.select_samples(conn)
    now = services.database.clock.now()
    made = {
        "code": found["course"],
        "course_code": found["course"],
        "area": "data",
        "programmes.code": found["programme_code"],
        "programme": found["programme_code"],
        "certificates.number": "AND-2026-000001",
        "source": "web_form",
        "action": "demo.generate",
        "agent": "supervisor",
        "advisor.status": "waiting",
        "admin.status": "completed",
        "since": (now - timedelta(days=90)).date().isoformat(),
        "until": now.date().isoformat(),
        "admin.since": (now - timedelta(days=90)).isoformat(),
        "admin.until": now.isoformat(),
        "due_before": now.isoformat(),
        "starts_after": now.date().isoformat(),
        "appointments.since": now.isoformat(),
        "appointments.until": (now + timedelta(days=7)).isoformat(),
        "starts_from": now.isoformat(),
        "starts_before": (now + timedelta(days=90)).isoformat(),
        "version": "0",
        "before": "0",
        "after": "0",
        "goal": "datos",
        "days": "mon",
        "budget_minor": "60000",
        "currency": "USD",
        **{f"{name}_id": str(new_id()) for name in _MADE_UP},
        "collection": "knowledge",
        "leads.sort": "last_activity",
        "q": "datos",
        "price_max": "60000",
        "start_from": now.date().isoformat(),
        "start_to": (now + timedelta(days=90)).date().isoformat(),
    }
    return tour(application(services).openapi(), {**made, **found})
