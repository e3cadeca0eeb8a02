"""Which language a page speaks."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from api.web.locale import choose_locale


def _request(query: str = "", accept: str = "") -> Request:
    headers = [(b"accept-language", accept.encode())] if accept else []
    return Request(
        {"type": "http", "path": "/", "query_string": query.encode(), "headers": headers}
    )


@pytest.mark.parametrize(
    ("query", "accept", "expected"),
    [
        ("", "", "es"),
        ("", "en-GB,en;q=0.9", "en"),
        ("", "fr,en;q=0.3,es-PE;q=0.8", "es"),
        ("", "fr;q=0.9", "es"),
        ("", "en;q=0,es;q=0.1", "es"),
        ("", "en;q=nonsense", "es"),
        ("lang=en", "es", "en"),
        ("lang=xx", "en", "en"),
        ("lang=EN", "es", "en"),
    ],
)
def test_address_comes_before_browser_before_default(
    query: str, accept: str, expected: str
) -> None:
    assert choose_locale(_request(query, accept), "es") == expected
