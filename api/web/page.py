"""Renders templates into pages that carry the security headers."""

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.web.catalogue import Locale, strings_under, translate
from api.web.institution import load_institution

#: A page runs our scripts and styles, talks to us, and cannot be framed. Nothing is inline.
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@cache
def environment() -> Environment:
    """Return the templates; a value that a template names and a page lacks is an error."""
    loaded = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    loaded.globals["strings_under"] = strings_under
    return loaded


def render_page(
    request: Request, template: str, locale: Locale, *, status: int = 200, **values: object
) -> HTMLResponse:
    """Render a template in a language.

    Args:
        values: what the template names beside `t`, `locale`, `link` and `institution`.
    """
    context = {
        "t": partial(_translate, locale),
        "locale": locale,
        "other_locale": "en" if locale == "es" else "es",
        "link": partial(_link, request),
        "other_language_url": _with_language(request, "en" if locale == "es" else "es"),
        "institution": load_institution(),
        "status": status,
        **values,
    }
    body = environment().get_template(template).render(context)
    headers = {**SECURITY_HEADERS, "Content-Language": locale, "Vary": "Accept-Language"}
    return HTMLResponse(body, status, headers)


def _translate(locale: Locale, key: str, **values: object) -> str:
    return translate(locale, key, values)


def _link(request: Request, path: str, **query: str) -> str:
    """Return an address within the site that keeps the language the visitor chose."""
    chosen = request.query_params.get("lang")
    pairs = {**query, **({"lang": chosen} if chosen in ("es", "en") else {})}
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _with_language(request: Request, language: str) -> str:
    kept = {key: value for key, value in request.query_params.items() if key != "lang"}
    return f"{request.url.path}?{urlencode({**kept, 'lang': language})}"
