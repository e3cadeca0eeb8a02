"""Whether the process lives, and whether it can serve."""

import asyncio
from typing import Literal

import redis.exceptions
import sqlalchemy.exc
from fastapi import Response
from pydantic import BaseModel

from api.bootstrap import Services
from api.dependencies import ServicesDep
from api.migrations.runner import current_revision, head_revision
from api.routing import Chapter
from api.search_stores import Elasticsearch
from crm.errors import Unavailable

router = Chapter(tags=["system"])

_PATIENCE_S = 3.0
Check = Literal["ok", "degraded", "failed"]


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether everything a request needs is there; what is degraded is done another way."""

    status: Literal["ready", "unready"]
    checks: dict[str, Check]


@router.get("/healthz", summary="Is the process alive")
async def healthz() -> Health:
    """Answer; nothing else is looked at."""
    return Health()


@router.get("/readyz", summary="Can it serve", responses={503: {"model": Readiness}})
async def readyz(services: ServicesDep, response: Response) -> Readiness:
    """Look at the database, its schema, Redis and, where there is one, the search server."""
    checks = await asyncio.gather(_database(services), _migrations(services), _redis(services))
    found: dict[str, Check] = {
        name: "ok" if passed else "failed"
        for name, passed in zip(("database", "migrations", "redis"), checks, strict=True)
    }
    if services.elasticsearch is not None:
        found["search"] = "ok" if await _answers(services.elasticsearch) else "degraded"
    if all(checks):
        return Readiness(status="ready", checks=found)
    response.status_code = 503
    return Readiness(status="unready", checks=found)


async def _database(services: Services) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE_S), services.database.read() as conn:
            await services.database.pool.check_connection(conn)
    except (Unavailable, TimeoutError):
        return False
    return True


async def _migrations(services: Services) -> bool:
    try:
        url = services.settings.require_database_url()
        async with asyncio.timeout(_PATIENCE_S):
            return await asyncio.to_thread(current_revision, url) == head_revision()
    except (sqlalchemy.exc.SQLAlchemyError, TimeoutError, RuntimeError):
        return False


async def _redis(services: Services) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return bool(await services.redis.ping())
    except (redis.exceptions.RedisError, TimeoutError):
        return False


async def _answers(elasticsearch: Elasticsearch) -> bool:
    """Whether it searches; while it does not, PostgreSQL answers, so nobody need stay away."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await elasticsearch.find_failure() is None
    except TimeoutError:
        return False
