"""The peer: FastAPI and a pool, one statement a request; no sessions, no records, no events.

It answers what ours answers, of the same rows.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI, HTTPException, Request
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from api.routes.people import ConsentOut, NewConsent, PersonOut
from api.routes.programmes import ProgrammeOut
from evals.bench.api import store

URL_VARIABLE = "BENCH_DATABASE_URL"
POOL_SIZE_VARIABLE = "BENCH_POOL_SIZE"


def create_app() -> FastAPI:
    """Return the application; it connects when it starts."""
    app = FastAPI(lifespan=_lifespan)
    app.get("/v1/programmes/{code}")(read_programme)
    app.get("/v1/people/{person_id}")(read_person)
    app.post("/v1/people/{person_id}/consents", status_code=201)(write_consent)
    app.get("/healthz")(healthz)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    size = int(os.environ[POOL_SIZE_VARIABLE])
    async with AsyncConnectionPool(
        os.environ[URL_VARIABLE],
        min_size=2,
        max_size=size,
        open=False,
        kwargs={"autocommit": True, "row_factory": dict_row},
    ) as pool:
        app.state.pool = pool
        yield


async def healthz() -> dict[str, str]:
    """Answer."""
    return {"status": "ok"}


async def read_programme(code: str, request: Request) -> ProgrammeOut:
    """Return a programme: one SELECT."""
    async with request.app.state.pool.connection() as conn:
        row = await store.select_programme(conn, code)
    if row is None:
        raise HTTPException(404)
    return ProgrammeOut.model_validate(row)


async def read_person(person_id: UUID, request: Request) -> PersonOut:
    """Return a person: one SELECT."""
    async with request.app.state.pool.connection() as conn:
        row = await store.select_person(conn, person_id)
    if row is None:
        raise HTTPException(404)
    return PersonOut.model_validate(row)


async def write_consent(person_id: UUID, body: NewConsent, request: Request) -> ConsentOut:
    """Keep a consent: one INSERT, committed to the disk."""
    values: dict[str, Any] = {"id": uuid4(), "person_id": person_id, **body.model_dump()}
    async with request.app.state.pool.connection() as conn:
        row = await store.insert_consent(conn, values)
    return ConsentOut.model_validate(row)
