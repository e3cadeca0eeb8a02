"""Attacks over HTTP: every route with every wrong caller, bodies that no client would send."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.settings import Settings
from tests.chat_client import PATIENCE_S, ChatClient
from tests.demo_database import environment
from tests.live import LiveApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SCHEMA: dict[str, Any] = create_app(Settings(_env_file=None, master_key="x")).openapi()
METHODS = {"get", "post", "put", "patch", "delete"}
#: Got without a session; everything else under /v1 needs one.
OPEN = {"/v1/chat/sessions", "/v1/auth/login"}
#: What anybody may read: whether a certificate is genuine.
PUBLIC = {"/v1/certificates/{number}"}
#: Whose answers begin before their end is known.
STREAMS = {"/v1/chat/events", "/v1/admin/audit/export"}
#: What only admins may do: in every other staff route an advisor may at least look.
ADMIN_ONLY = re.compile(r"/v1/admin/")
#: What changes the catalogue, which advisors only read.
CATALOGUE = re.compile(r"/v1/(courses|cohorts|programmes|areas|scholarships|discounts)")
#: What advisors do for students in the catalogue's rooms.
SERVICE = re.compile(r"/(holds|waitlist|attendance|applications)\b")


def operations() -> list[tuple[str, str]]:
    return [
        (method, path)
        for path, item in SCHEMA["paths"].items()
        for method in item
        if method in METHODS and path.startswith("/v1/") and path not in OPEN | PUBLIC
    ]


@pytest.fixture(scope="module")
def api(demo_database_url: str, redis_url: str) -> Iterator[LiveApi]:
    started = LiveApi(environment(demo_database_url, redis_url, embedder="none")).start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def http(api: LiveApi) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def student(http: httpx.Client) -> dict[str, str]:
    answer = http.post("/v1/chat/sessions", json={"locale": "es"})
    return {"Authorization": f"Bearer {answer.json()['session_token']}"}


@pytest.fixture(scope="module")
def advisor(http: httpx.Client) -> dict[str, str]:
    return login(http, "lucia.rojas@andino.example", "andino-lucia-demo")


@pytest.fixture(scope="module")
def admin(http: httpx.Client) -> dict[str, str]:
    return login(http, "admin@andino.example", "andino-admin-demo")


def login(http: httpx.Client, email: str, password: str) -> dict[str, str]:
    answer = http.post("/v1/auth/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def problem(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    body = answer.json()
    assert body["status"] == status
    return str(body["code"])


def address(path: str) -> str:
    return re.sub(r"\{[^}]+\}", lambda _: str(uuid4()), path)


@pytest.mark.parametrize(("method", "path"), operations())
def test_nobody_gets_in_without_the_right_session(
    http: httpx.Client,
    student: dict[str, str],
    advisor: dict[str, str],
    method: str,
    path: str,
) -> None:
    chat = path.startswith("/v1/chat/")
    wrong = advisor if chat else student
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}, wrong):
        answer = http.request(method, address(path), headers=headers, json={})
        code = problem(answer, 401)
        assert code.startswith("session." if chat else "auth.")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path"),
    [(m, p) for m, p in operations() if ADMIN_ONLY.match(p)],
)
def test_advisor_does_not_get_into_the_admins_room(
    http: httpx.Client, advisor: dict[str, str], method: str, path: str
) -> None:
    answer = http.request(method, address(path), headers=advisor, json={})
    assert problem(answer, 403) == "auth.role"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (m, p)
        for m, p in operations()
        if m != "get" and CATALOGUE.match(p) and not SERVICE.search(p)
    ],
)
def test_advisor_does_not_change_the_catalogue(
    http: httpx.Client, advisor: dict[str, str], method: str, path: str
) -> None:
    answer = http.request(method, address(path), headers=advisor, json={})
    # FastAPI looks at the body and at who asks together: either answer changes nothing.
    assert answer.status_code in {403, 422}, answer.text
    if answer.status_code == 403:
        assert problem(answer, 403) == "auth.role"


def test_every_refusal_of_a_role_is_on_record(
    http: httpx.Client, advisor: dict[str, str], demo_database_url: str
) -> None:
    problem(http.get("/v1/admin/runs", headers=advisor), 403)
    with psycopg.connect(demo_database_url) as conn:
        row = conn.execute(
            "SELECT count(*) FROM audit_events WHERE decision = 'auth.role' AND outcome = 'refused'"
        ).fetchone()
    assert row is not None
    assert row[0] >= 1


# --- bodies -------------------------------------------------------------------------------------

ANY_TEXT = st.text(max_size=60) | st.sampled_from(
    ["\x00", "\ud800", "a\udfffb", "\u202e", "🧑‍🎓" * 20, "'; DROP TABLE messages; --", "{{7*7}}"]
)
LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=True)
    | ANY_TEXT
    | st.sampled_from(["2026-13-45", "9999999999-01-01T00:00:00Z", str(uuid4()), "es", "open"])
)
ANY_JSON = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


def fields_of(operation: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return list(SCHEMA["components"]["schemas"].get(name, {}).get("properties", {}))


WRITES = [
    (method, path, fields_of(SCHEMA["paths"][path][method]))
    for method, path in [*operations(), *(("post", p) for p in sorted(OPEN))]
    if method != "get" and not path.startswith(("/v1/auth/logout", "/v1/chat/verification"))
]


@pytest.mark.parametrize(
    ("method", "path", "fields"), WRITES, ids=[f"{m.upper()} {p}" for m, p, _ in WRITES]
)
def test_no_body_breaks_the_server(
    http: httpx.Client,
    student: dict[str, str],
    admin: dict[str, str],
    method: str,
    path: str,
    fields: list[str],
) -> None:
    headers = student if path.startswith("/v1/chat/") else admin

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(body=st.fixed_dictionaries({}, optional=dict.fromkeys(fields, ANY_JSON)) | ANY_JSON)
    def attack(body: object) -> None:
        answer = http.request(
            method,
            address(path),
            headers=headers | {"Content-Type": "application/json"},
            content=json.dumps(body).encode(),
        )
        assert answer.status_code < 500, (body, answer.text)
        if answer.status_code >= 400:
            problem(answer, answer.status_code)

    attack()


CURSORS = [
    "WyJ4Il0",  # ["x"]
    "WyJ4IiwieSJd",  # ["x","y"]
    "W251bGxd",  # [null]
    "WzFlOTk5XQ",  # [1e999]
    "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ",  # a number that no column holds
    "WyIyMDI2LTAxLTAxIiwgIngiXQ",
    "WyJcdTAwMDAiLCAiXHUwMDAwIl0",  # NUL
    "WyJcdWQ4MDAiXQ",  # half a pair
    "e30",
    "W1tdXQ",
    "%00",
    "ñ",
    "W1tb" * 100,
    "W1tb" * 2_000,
]


@pytest.mark.parametrize("cursor", CURSORS, ids=range(len(CURSORS)))
def test_forged_cursor_breaks_no_list(
    http: httpx.Client, student: dict[str, str], admin: dict[str, str], cursor: str
) -> None:
    for method, path in operations():
        parameters = SCHEMA["paths"][path][method].get("parameters", [])
        names = {p["name"] for p in parameters} & {"cursor", "since"}
        if method != "get" or not names or path in STREAMS:
            continue
        headers = student if path.startswith("/v1/chat/") else admin
        for name in names:
            answer = http.get(address(path), params={name: cursor}, headers=headers)
            # A list sorted by text may take any text for a place in it.
            assert answer.status_code < 500, (path, answer.text)
            if answer.status_code >= 400:
                problem(answer, answer.status_code)


@pytest.mark.parametrize("value", ["x" * 200, "\x00", "ñ", "-1", "1e9", "null", "9" * 30])
def test_strange_parameters_are_refused_or_harmless(
    http: httpx.Client, student: dict[str, str], admin: dict[str, str], value: str
) -> None:
    for method, path in operations():
        if method != "get" or path in STREAMS:
            continue
        headers = student if path.startswith("/v1/chat/") else admin
        parameters = SCHEMA["paths"][path][method].get("parameters", [])
        named = {p["name"]: value for p in parameters if p["in"] == "query"}
        for params in [named, *({k: v} for k, v in named.items())]:
            answer = http.get(address(path), params=params, headers=headers)
            assert answer.status_code < 500, (path, params, answer.text)
            if answer.status_code >= 400:
                problem(answer, answer.status_code)


# --- the wire -----------------------------------------------------------------------------------


def test_body_that_grows_past_the_limit_without_saying_so_is_cut_off(
    http: httpx.Client, student: dict[str, str]
) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"client_message_id": "a", "text": "'
        for _ in range(200):
            yield b"x" * 1_000

    answer = http.post("/v1/chat/messages", content=pieces(), headers=student)
    assert problem(answer, 413) == "request.too_large"


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "x"])
def test_other_media_types_are_refused(
    http: httpx.Client, student: dict[str, str], media: str
) -> None:
    answer = http.post(
        "/v1/chat/messages",
        content=b'{"client_message_id": "a", "text": "hola"}',
        headers=student | {"Content-Type": media},
    )
    assert answer.status_code in {415, 422}
    problem(answer, answer.status_code)


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe", b"[" * 60_000, b'{"a":' * 10_000, b"NaN", b'{"text": "\xed\xa0\x80"}', b""],
)
def test_bytes_that_are_no_json_are_a_problem(
    http: httpx.Client, student: dict[str, str], body: bytes
) -> None:
    headers = student | {"Content-Type": "application/json"}
    answer = http.post("/v1/chat/messages", content=body, headers=headers)
    assert answer.status_code in {400, 422}, answer.text
    problem(answer, answer.status_code)


def test_unknown_routes_and_methods_are_problems(http: httpx.Client) -> None:
    assert problem(http.get("/v1/nothing"), 404) == "route.unknown"
    assert problem(http.delete("/v1/chat/messages"), 405) == "request.method"
    assert problem(http.put("/v1/chat/sessions"), 405) == "request.method"


def test_preflight_allows_what_the_widget_sends(http: httpx.Client) -> None:
    answer = http.options(
        "/v1/chat/messages",
        headers={
            "Origin": "https://university.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,last-event-id",
        },
    )
    assert answer.status_code == 200
    refused = http.get("/v1/chat/messages", headers={"Origin": "https://university.example"})
    assert refused.status_code == 401
    assert "access-control-allow-origin" in refused.headers


# --- sessions and streams -----------------------------------------------------------------------


@pytest.fixture
async def talker(api: LiveApi) -> AsyncIterator[ChatClient]:
    client = await ChatClient(api.url).start()
    yield client
    await client.close()


async def test_stream_ends_when_its_session_is_replaced(talker: ChatClient) -> None:
    await talker.ask("hola")
    opened = asyncio.Event()

    async def follow() -> list[str]:
        kinds = []
        async with talker.following() as events:
            async for event in events:
                kinds.append(event.kind)
                opened.set()
        return kinds

    old = asyncio.create_task(follow())
    await opened.wait()
    recipient = "ana.perez@correo.example"
    await talker.post("/v1/chat/verification", {"email": recipient})
    code = await talker.code_sent_to(recipient)
    answer = await talker.post("/v1/chat/verification/confirm", {"code": code})
    talker.token = answer.json()["session_token"]
    async with asyncio.timeout(PATIENCE_S):
        kinds = await old
    assert "sessions_changed" not in kinds
    await talker.ask("¿En qué cursos estoy inscrita?")
    assert kinds.count("run_started") == 1
    again = await talker.until("run_finished", count=2)
    assert "sessions_changed" not in [e.kind for e in again]


async def test_unstorable_characters_in_a_message_are_cleaned_or_refused(
    talker: ChatClient,
) -> None:
    for n, text in enumerate(["ho\x00la", "ho\u202ela", "hola 🧑‍🎓", "h\u0301ola"]):
        answer = await talker.send(text, f"ok-{n}")
        assert answer.status_code == 202, answer.text
    raw = b'{"client_message_id": "half", "text": "ho\\ud800la"}'
    answer = await talker.http.post(
        f"{talker.url}/v1/chat/messages",
        content=raw,
        headers=talker.headers | {"Content-Type": "application/json"},
    )
    assert answer.status_code in {202, 422}, answer.text
    assert "\x00" not in str(await talker.messages())
