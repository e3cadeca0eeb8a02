"""Rendered pages: escaped, in their language, with the security headers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from starlette.requests import Request

import api.web.page
from api.web.page import render_page

TEMPLATES = Path(api.web.page.__file__).parent / "templates"


def _request(path: str = "/nada", query: str = "") -> Request:
    scope = {"type": "http", "path": path, "query_string": query.encode(), "headers": []}
    return Request({**scope, "method": "GET", "scheme": "http", "server": ("x", 80)})


def _error_page(query: str = "", heading: str = "Título", locale: str = "es") -> str:
    values = {"demo": False, "heading": heading, "text": "Texto"}
    page = render_page(_request(query=query), "error.html", locale, status=404, **values)  # type: ignore[arg-type]
    return bytes(page.body).decode()


def test_values_are_escaped() -> None:
    body = _error_page(heading="<img src=x onerror=alert(1)>")
    assert "<img src=x" not in body
    assert "&lt;img src=x" in body


def test_page_says_its_language_and_links_to_the_other() -> None:
    body = _error_page(locale="en")
    assert '<html lang="en">' in body
    assert 'href="/nada?lang=es"' in body


def test_links_keep_the_language_that_was_chosen_and_nothing_else() -> None:
    assert 'href="/courses?lang=en"' in _error_page("lang=en&x=1", locale="en")
    assert 'href="/courses"' in _error_page("lang=%22%3E", locale="es")


def test_page_allows_our_own_scripts_only_and_no_frame() -> None:
    headers = render_page(
        _request(), "error.html", "es", status=500, demo=False, heading="a", text="b"
    ).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_templates_hold_no_inline_script_style_or_handler(path: Path) -> None:
    source = path.read_text("utf-8")
    for script in re.findall(r"<script\b([^>]*)>", source):
        assert "src=" in script or 'type="application/json"' in script
    assert re.search(r"<style\b|\sstyle=|\son\w+=", source) is None


def test_value_that_a_page_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render_page(_request(), "error.html", "es", status=404, demo=False)
