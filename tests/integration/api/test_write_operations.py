"""Every operation that writes asks who calls, and refuses who may not.

All of it follows from the API's own document and routes: one that is added is held to it, too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from api.auth import StaffIn
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from crm.identity.permissions import MAY_READ, MAY_WRITE
from crm.ids import new_id
from tests.integration.api.hostile import KEY, Forge, send
from tests.integration.api.serving import log_in
from tests.integration.api.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from tests.integration.api.hostile import Answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WRITES = {"POST", "PUT", "PATCH", "DELETE"}
PASSWORD = "correct horse battery"
#: Who needs no session: how one is got.
OPEN = {"/v1/chat/sessions", "/v1/auth/login"}
#: Whoever has a session may end it.
ANY_STAFF = {"POST /v1/auth/logout"}
#: Those that take no key, and what repeating them does.
WITHOUT_KEY = {
    "POST /v1/auth/login": "opens another session",
    "POST /v1/auth/logout": "the session is over already",
    "POST /v1/duplicates/{suggestion_id}/dismiss": "dismissed already",
    "POST /v1/enrolments/sagas/{saga_id}/cancel": "being undone already",
    "POST /v1/enrolments/sagas/{saga_id}/resume": "refused: it is not stuck any more",
    "PUT /v1/calendar": "the same calendar",
    "DELETE /v1/appointments/hours/{staff_id}": "there are no hours any more",
    "POST /v1/imports/{import_id}/run": "under way already",
    "POST /v1/imports/{import_id}/cancel": "cancelled already",
    "POST /v1/knowledge/ingests/{ingest_id}/cancel": "cancelled already",
    "POST /v1/advisor/conversations/{conversation_id}/takeover": "taken over already",
    "POST /v1/advisor/conversations/{conversation_id}/release": "released already",
    "POST /v1/advisor/conversations/{conversation_id}/messages": "known by its client_message_id",
    "PATCH /v1/advisor/actions/{action_id}": "refused: somebody has changed it meanwhile",
    "POST /v1/advisor/actions/{action_id}/accept": "done already, and only once",
    "POST /v1/advisor/actions/{action_id}/dismiss": "dismissed already",
    "POST /v1/advisor/actions/{action_id}/snooze": "put off to that moment already",
    "POST /v1/admin/audit/verify": "changes nothing",
    "POST /v1/admin/dead-letters/replay": "nothing dead is left",
    "POST /v1/admin/dead-letters/{event_id}/replay": "nothing dead is left",
    "DELETE /v1/invoices/{invoice_id}/dunning/pause": "there is no pause any more",
    "PUT /v1/admin/sandbox-payments/behaviour": "the same behaviour",
    "POST /v1/admin/sandbox-payments/checkouts/{checkout_id}/dispute": "there is a dispute already",
    "POST /v1/admin/sandbox-payments/checkouts/{checkout_id}/dispute/decision": "decided already",
}


def routes_of(app: FastAPI) -> Iterator[Any]:
    """Yield every route with its dependencies."""
    waiting = list(app.routes)
    while waiting:
        found: Any = waiting.pop()
        if hasattr(found, "original_router"):
            waiting += found.original_router.routes
        elif hasattr(found, "dependant"):
            yield found


def rights_of(dependant: Any) -> Iterator[frozenset[Role]]:
    """Yield the roles that a route lets in, by each of the areas it asks about."""
    for needed in dependant.dependencies:
        if isinstance(needed.call, StaffIn):
            yield (MAY_WRITE if needed.call._write else MAY_READ)[needed.call._area]
        yield from rights_of(needed)


@pytest.fixture(scope="module")
async def forge(target: Target) -> Forge:
    document = (await target.client.get("/openapi.json")).json()
    return Forge(document, await target.known(), seed=7)


def writes(target: Target) -> list[tuple[str, str, Any]]:
    """Return method, path and operation of all that writes for people."""
    paths = target.app.openapi()["paths"]
    return [
        (method.upper(), path, operation)
        for path, item in paths.items()
        for method, operation in item.items()
        if method.upper() in WRITES and path.startswith("/v1/")
    ]


async def test_nobody_writes_without_a_session(target: Target, forge: Forge) -> None:
    found = {}
    for method, path, operation in writes(target):
        if path not in OPEN:
            answer = await send(target.app, forge.valid(method, path, operation), {})
            found[f"{method} {path}"] = answer.status
    assert {name: status for name, status in found.items() if status != 401} == {}


async def test_students_write_nothing_that_is_for_staff(target: Target, forge: Forge) -> None:
    found = {}
    for method, path, operation in writes(target):
        if path not in OPEN and not path.startswith("/v1/chat/"):
            request = forge.valid(method, path, operation)
            answer = await send(target.app, request, {**request.headers, **target.student})
            found[f"{method} {path}"] = answer.status
    assert {name: status for name, status in found.items() if status not in (401, 403)} == {}


async def test_roles_write_only_what_is_theirs(target: Target, forge: Forge) -> None:
    routes = {(m, r.path): r for r in routes_of(target.app) for m in r.methods}
    sessions = {role: await new_session(target, role) for role in Role}
    wrong, refused = [], 0
    for method, path, operation in writes(target):
        name = f"{method} {path}"
        if path in OPEN or path.startswith("/v1/chat/") or name in ANY_STAFF:
            continue
        rights = list(rights_of(routes[method, path].dependant))
        if not rights:
            wrong.append(f"{name}: anybody may write")
        for role in Role:
            if all(role in allowed for allowed in rights):
                continue
            request = forge.valid(method, path, operation)
            answer = await send(target.app, request, {**request.headers, **sessions[role]})
            refused += 1
            if (answer.status, code_of(answer)) != (403, "auth.role"):
                wrong.append(f"{name} by {role}: {answer.status} {code_of(answer)}")
    assert wrong == []
    assert refused > 15


async def new_session(target: Target, role: Role) -> dict[str, str]:
    command = CreateStaff(
        email=f"{new_id()}@andino.example", name="Eva", role=role, password=PASSWORD
    )
    made = await target.services.identity.create_staff(command, actor=SERVICE_ACTOR)
    return await log_in(target.client, made.email, PASSWORD)


def code_of(answer: Answer) -> str | None:
    try:
        code: str | None = json.loads(answer.text).get("code")
    except (ValueError, AttributeError):
        return None
    return code


def takes_key(operation: Any) -> bool:
    return any(p["name"] == KEY for p in operation.get("parameters", []))


async def test_writes_take_a_key_or_may_be_repeated_without(target: Target) -> None:
    without = {
        f"{method} {path}"
        for method, path, operation in writes(target)
        if not takes_key(operation) and not path.startswith("/v1/chat/")
    }
    assert without == set(WITHOUT_KEY)
