"""The contract is complete: every operation says what it does, returns and refuses, and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api.app import create_app
from api.settings import Settings

METHODS = {"get", "post", "put", "patch", "delete"}
#: Who needs no session: how one is got, what any visitor may read, what machines look at.
OPEN = {
    "/v1/chat/sessions",
    "/v1/auth/login",
    "/v1/certificates/{number}",
    "/healthz",
    "/readyz",
}
#: An audit record's payload is whatever its action put there.
FREE = {"Payload"}
SCHEMA: dict[str, Any] = create_app(Settings(_env_file=None, master_key="x")).openapi()


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in SCHEMA["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield method, path, operation


EVERY = [pytest.param(m, p, o, id=f"{m.upper()} {p}") for m, p, o in operations()]
API = [pytest.param(m, p, o, id=f"{m.upper()} {p}") for m, p, o in operations() if p[:4] == "/v1/"]


@pytest.mark.parametrize(("method", "path", "operation"), EVERY)
def test_operation_is_described(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation.get("summary")
    assert operation.get("tags")
    assert operation.get("description", "").strip()


@pytest.mark.parametrize(("method", "path", "operation"), EVERY)
def test_operation_says_how_it_fails(method: str, path: str, operation: dict[str, Any]) -> None:
    failure = operation["responses"]["default"]["content"]
    assert "code" in failure["application/problem+json"]["schema"]["properties"]
    assert "422" not in operation["responses"], "FastAPI's own error body is never sent"


def untyped(schema: dict[str, Any], seen: frozenset[str] = frozenset()) -> list[str]:
    """Return the places of a schema that say nothing of what is there."""
    reference = schema.get("$ref", "")
    if reference:
        name = reference.rpartition("/")[2]
        return [] if name in seen else untyped(SCHEMA["components"]["schemas"][name], seen | {name})
    parts = [*schema.get("anyOf", ()), *schema.get("properties", {}).values()]
    parts += [schema[key] for key in ("items",) if key in schema]
    found = [place for part in parts for place in untyped(part, seen)]
    known = {"$ref", "anyOf", "properties", "items", "enum", "const", "additionalProperties"}
    bare = schema.get("type", "object") == "object" and not known & schema.keys()
    loose = schema.get("additionalProperties") is True and "properties" not in schema
    return [*found, schema.get("title", "?")] if bare or loose else found


@pytest.mark.parametrize(("method", "path", "operation"), API)
def test_success_has_a_schema(method: str, path: str, operation: dict[str, Any]) -> None:
    good = {c: r for c, r in operation["responses"].items() if c.startswith("2")}
    assert good
    for code, response in good.items():
        if code == "204":
            continue
        for media, content in response["content"].items():
            if media == "application/json":
                assert set(untyped(content["schema"])) <= FREE


@pytest.mark.parametrize(("method", "path", "operation"), API)
def test_session_is_asked_for(method: str, path: str, operation: dict[str, Any]) -> None:
    schemes = {name for need in operation.get("security", []) for name in need}
    if path in OPEN:
        assert not schemes
    else:
        assert schemes == {"chatSession" if path.startswith("/v1/chat/") else "staffSession"}


@pytest.mark.parametrize(("method", "path", "operation"), EVERY)
def test_operation_ids_are_unique(method: str, path: str, operation: dict[str, Any]) -> None:
    ids = [o["operationId"] for _, _, o in operations()]
    assert ids.count(operation["operationId"]) == 1


def test_stable_paths_of_the_contract_are_there() -> None:
    promised = {
        ("post", "/v1/chat/sessions"),
        ("get", "/v1/chat/session"),
        ("post", "/v1/chat/messages"),
        ("get", "/v1/chat/messages"),
        ("get", "/v1/chat/events"),
        ("post", "/v1/chat/confirmations/{confirmation_id}"),
        ("post", "/v1/chat/verification"),
        ("post", "/v1/chat/verification/confirm"),
        ("post", "/v1/auth/login"),
        ("post", "/v1/auth/logout"),
        ("get", "/v1/advisor/conversations"),
        ("post", "/v1/advisor/conversations/{conversation_id}/takeover"),
        ("post", "/v1/advisor/conversations/{conversation_id}/release"),
        ("post", "/v1/advisor/conversations/{conversation_id}/messages"),
        ("get", "/v1/admin/runs"),
        ("get", "/v1/admin/audit/events"),
    }
    assert promised <= {(m, p) for m, p, _ in operations()}
