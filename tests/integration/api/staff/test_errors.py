"""Every failure is a problem with a stable code, and none tells what it should not."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

Office = Any
JSON = {"Content-Type": "application/json"}


def _check(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Check what every problem has, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:orienta:problem:{code}"
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    "body", [b"{", b"", b'{"number": 1,}', b"\xff\xfe", b"[" * 3_000, b'{"number": 1} x']
)
async def test_malformed_json(office: Office, body: bytes) -> None:
    answer = await office.client.post("/echo", content=body, headers=JSON)

    if body:
        _check(answer, 400, "request.malformed_json")
    else:
        _check(answer, 422, "request.invalid")


async def test_invalid_fields_are_named_without_their_values(office: Office) -> None:
    answer = await office.client.post("/echo", json={"number": "not a number 4711", "text": 1})

    body = _check(answer, 422, "request.invalid")
    assert [(e["field"], e["code"]) for e in body["errors"]] == [
        ("body.number", "int_parsing"),
        ("body.text", "string_type"),
    ]
    assert "4711" not in answer.text


async def test_unknown_route_and_wrong_method(office: Office) -> None:
    _check(await office.client.get("/nowhere"), 404, "route.unknown")
    answer = await office.client.delete("/echo")
    _check(answer, 405, "request.method")
    assert answer.headers["allow"] == "POST"


async def test_body_over_the_limit_is_refused_by_its_length(office: Office) -> None:
    answer = await office.client.post("/echo", json={"number": 1, "text": "x" * 5_000})

    _check(answer, 413, "request.too_large")


async def test_body_over_the_limit_is_refused_while_it_streams(office: Office) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 1_000

    answer = await office.client.post("/echo", content=endless(), headers=JSON)

    _check(answer, 413, "request.too_large")
    assert sent < 10


async def test_body_at_the_limit_passes(office: Office) -> None:
    frame = len(b'{"number":1,"text":""}')

    answer = await office.client.post("/echo", json={"number": 1, "text": "x" * (4_096 - frame)})

    assert answer.status_code == 200


async def test_throttled_says_when_to_come_back(office: Office) -> None:
    answer = await office.client.get("/throttled")

    _check(answer, 429, "some.limit")
    assert answer.headers["retry-after"] == "17"


async def test_unavailable_says_to_come_back(office: Office) -> None:
    answer = await office.client.get("/unavailable")

    _check(answer, 503, "some.server")
    assert int(answer.headers["retry-after"]) > 0


async def test_unexpected_failure_names_the_request_and_not_its_cause(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await office.client.get("/broken")

    body = _check(answer, 500, "internal")
    assert office.secret_text not in answer.text
    (record,) = [r for r in caplog.records if r.name == "api.request_id"]
    assert body["request_id"] in record.getMessage()
    assert office.secret_text in caplog.text


async def test_missing_and_unknown_tokens(office: Office) -> None:
    for headers, code in (
        ({}, "auth.missing"),
        ({"Authorization": "Basic YTpi"}, "auth.missing"),
        ({"Authorization": "Bearer nobody"}, "auth.token"),
    ):
        answer = await office.client.get("/v1/people", headers=headers)
        _check(answer, 401, code)
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_callers_request_id_is_kept_if_harmless(office: Office) -> None:
    kept = await office.client.get("/healthz", headers={"X-Request-Id": "trace-0123456789"})
    replaced = await office.client.get("/healthz", headers={"X-Request-Id": "a\tb <script>"})

    assert kept.headers["x-request-id"] == "trace-0123456789"
    assert len(replaced.headers["x-request-id"]) == 32


async def test_text_that_no_column_holds_is_invalid(
    office: Office, advisor: dict[str, str]
) -> None:
    listed = await office.client.get("/v1/people", params={"query": "a\0b"}, headers=advisor)
    _check(listed, 422, "request.invalid")
    person = await office.client.post("/v1/people", json={"full_name": "Ana"}, headers=advisor)
    for text in (b"\\ud800", b"\\u0000"):
        answer = await office.client.post(
            f"/v1/people/{person.json()['id']}/consents",
            content=b'{"channel": "email", "purpose": "service", "granted": true, '
            b'"text_version": "' + text + b'"}',
            headers=advisor | JSON,
        )
        _check(answer, 422, "request.invalid")


async def test_openapi_describes_problems_for_every_operation(office: Office) -> None:
    paths = (await office.client.get("/openapi.json")).json()["paths"]

    operations = [
        (path, op) for path, methods in paths.items() for op in methods.values() if "/v1/" in path
    ]
    assert len(operations) > 15
    for path, operation in operations:
        assert operation["tags"], path
        assert operation["summary"], path
        assert "application/problem+json" in operation["responses"]["default"]["content"], path
        assert "422" not in operation["responses"], path


async def test_healthz_and_readyz(office: Office) -> None:
    assert (await office.client.get("/healthz")).json() == {"status": "ok"}
    ready = await office.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready",
        "checks": {"database": "ok", "migrations": "ok", "redis": "ok"},
    }


async def test_readyz_fails_when_the_schema_is_old(office: Office) -> None:
    async with office.database.transaction() as uow:
        rows = await uow.conn.execute("SELECT version_num FROM alembic_version")
        row = await rows.fetchone()
        await uow.conn.execute("UPDATE alembic_version SET version_num = '0001_journal'")
    try:
        answer = await office.client.get("/readyz")
    finally:
        async with office.database.transaction() as uow:
            await uow.conn.execute(
                "UPDATE alembic_version SET version_num = %s", [row["version_num"]]
            )

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unready",
        "checks": {"database": "ok", "migrations": "failed", "redis": "ok"},
    }
