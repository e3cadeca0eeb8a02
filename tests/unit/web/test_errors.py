"""Browsers get a page where programs get a problem document."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from api.settings import Settings
from api.web.errors import ErrorPages

HTML = {"accept": "text/html,application/xhtml+xml"}


def _answer(request: Request) -> Response:
    status = int(request.path_params["status"])
    if status == 200:
        return PlainTextResponse("here")
    body = {"code": "some.code", "detail": "secret detail"}
    return JSONResponse(body, status, media_type="application/problem+json")


@pytest.fixture
def client() -> httpx.AsyncClient:
    routes = [Route("/page/{status}", _answer), Route("/v1/page/{status}", _answer)]
    app = ErrorPages(Starlette(routes=routes), Settings(_env_file=None))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x")


@pytest.mark.parametrize(
    ("status", "heading"),
    [(404, "No encontramos esta página"), (422, "No encontramos esta página"), (500, "Algo falló")],
)
async def test_browser_gets_a_page_with_the_status(
    client: httpx.AsyncClient, status: int, heading: str
) -> None:
    answer = await client.get(f"/page/{status}", headers=HTML)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert heading in answer.text
    assert "secret detail" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_page_speaks_the_readers_language(client: httpx.AsyncClient) -> None:
    answer = await client.get("/page/404", headers={**HTML, "accept-language": "en"})
    assert "We could not find this page" in answer.text


@pytest.mark.parametrize("path", ["/v1/page/404", "/page/404"])
async def test_program_gets_the_problem(client: httpx.AsyncClient, path: str) -> None:
    headers = HTML if path.startswith("/v1/") else {"accept": "*/*"}
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 404
    assert answer.json()["code"] == "some.code"


async def test_page_that_is_there_passes_through(client: httpx.AsyncClient) -> None:
    assert (await client.get("/page/200", headers=HTML)).text == "here"
