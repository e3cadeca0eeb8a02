"""A key stands for one call: repeated it has one effect and one answer, with another body none.

The operations are those of the API's own document: one that is added needs a request here, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from api.routes import ROUTERS, auth
from crm.ids import new_id
from tests.demo_database import settings_of
from tests.integration.api.hostile import KEY
from tests.integration.api.scene import Scene, Stage
from tests.integration.api.serving import client_of, log_in, serving
from tests.integration.api.written import SITEMAP_HOST, WRITES, request_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: They say that somebody looked or is there, not that something was done.
LOOKING = {"record_accesses", "staff_sessions", "audit_chains", "audit_events"}
TABLES = """
    SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
#: Moves with every row that is added, changed or removed.
TRACE = "SELECT '{0}' AS name, (count(*), sum(xmin::text::bigint))::text AS trace FROM {0}"


@pytest.fixture(scope="module")
async def stage(demo_database_url: str, redis_url: str) -> AsyncIterator[Stage]:
    chosen = settings_of(
        demo_database_url, redis_url, payment_gateway="sandbox", ingest_hosts=(SITEMAP_HOST,)
    )
    routers = [router for router in ROUTERS if router is not auth.router]
    async with serving(chosen, *routers) as app, client_of(app) as client:
        client.headers.update(await log_in(client, "admin@andino.example", "andino-admin-demo"))
        yield Stage(app, app.state.services, client)


async def test_every_operation_that_takes_a_key_is_looked_at(stage: Stage) -> None:
    taking: dict[str, Any] = {
        f"{method.upper()} {path}": operation
        for path, item in stage.app.openapi()["paths"].items()
        for method, operation in item.items()
        if any(parameter["name"] == KEY for parameter in operation.get("parameters", ()))
    }
    assert taking.keys() == WRITES.keys()
    without_other = {route for route, write in WRITES.items() if write.other is None}
    assert without_other == {r for r, operation in taking.items() if "requestBody" not in operation}


async def traces(stage: Stage) -> dict[str, Any]:
    """Return what moves with every change of each table, and how often something was done."""
    async with stage.database.read() as conn:
        rows = await conn.execute(TABLES)
        tables = {str(row["relname"]) for row in await rows.fetchall()} - LOOKING
        rows = await conn.execute(" UNION ALL ".join(map(TRACE.format, tables)))  # type: ignore[arg-type]
        found = {row["name"]: row["trace"] for row in await rows.fetchall()}
    found["done"] = await stage.count("SELECT count(*) FROM audit_events WHERE effect <> 'READ'")
    return found


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in after if after[name] != before.get(name)}


@pytest.mark.parametrize("route", WRITES)
async def test_a_key_stands_for_one_call(stage: Stage, route: str) -> None:
    scene, key = Scene(stage), str(new_id())
    request = await request_of(route, scene)
    start = await traces(stage)

    first = await request.send(scene, request.body, key)
    assert first.is_success, first.text
    done = await traces(stage)
    assert {"idempotency_keys", "done"} <= changed(start, done)

    again = await request.send(scene, request.body, key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers.get("Location") == first.headers.get("Location")
    assert changed(done, await traces(stage)) == set()

    if request.other is not None:
        other = await request.send(scene, request.other, key)
        assert (other.status_code, other.json().get("code")) == (409, "idempotency.mismatch")
        assert changed(done, await traces(stage)) == set()
