"""Chapters find what plain routers find, and leave alone what is not theirs."""

from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from starlette.routing import Match
from starlette.types import Scope

from api.routing import Chapter


def fill(people: APIRouter, contact: APIRouter) -> FastAPI:
    @people.get("")
    async def listed() -> str:
        return "list"

    @people.get("/{person_id}")
    async def read(person_id: str) -> str:
        return f"person {person_id}"

    @contact.post("/calls")
    async def call(person_id: str) -> str:
        return f"call {person_id}"

    app = FastAPI()
    app.include_router(people)
    app.include_router(contact)
    return app


@pytest.fixture(params=[APIRouter, Chapter])
def client(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    kind = request.param
    app = fill(kind(prefix="/people"), kind(prefix="/people/{person_id}"))
    with TestClient(app, follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/people", 200),
        ("GET", "/people/7", 200),
        ("POST", "/people/7/calls", 200),
        ("PUT", "/people/7", 405),
        ("GET", "/people/", 307),
        ("GET", "/persons", 404),
        ("GET", "/peopl", 404),
        ("GET", "/people/7/letters", 404),
    ],
)
def test_chapter_answers_as_a_plain_router(
    client: TestClient, method: str, path: str, status: int
) -> None:
    assert client.request(method, path).status_code == status


@pytest.mark.parametrize(
    ("path", "begins"), [("/people/7/calls", True), ("/courses", False), ("/base/people/7", False)]
)
def test_chapter_tries_its_routes_only_for_addresses_that_begin_alike(
    path: str, begins: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    chapter = Chapter(prefix="/people/{person_id}")
    fill(Chapter(prefix="/people"), chapter)

    def match(_: APIRouter, scope: Scope) -> tuple[Match, Scope]:
        tried.append(scope["path"])
        return Match.NONE, {}

    monkeypatch.setattr(APIRouter, "matches", match)
    chapter.matches({"type": "http", "path": path})
    chapter.matches({"type": "http", "path": f"/base{path}", "root_path": "/base"})
    assert tried == ([path, f"/base{path}"] if begins else [])
