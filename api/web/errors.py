"""The pages that say that something is missing or broken, for browsers that asked for a page."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.settings import Settings
from api.web.catalogue import translate
from api.web.locale import choose_locale
from api.web.page import render_page

_PROBLEM = "application/problem+json"


def wants_page(request: Request) -> bool:
    """Return whether a person with a browser asks, and not a program."""
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and not request.url.path.startswith(("/v1/", "/webhooks/"))


def error_page(request: Request, status: int, settings: Settings) -> HTMLResponse:
    """Return the page for a status: one for what is not there, one for our own failures."""
    locale = choose_locale(request, settings.default_locale)
    missing = status < 500
    return render_page(
        request,
        "error.html",
        locale,
        status=status,
        demo=settings.demo,
        heading=translate(locale, "error.404" if missing else "error.500"),
        text=translate(locale, "error.404.text" if missing else "error.500.text"),
    )


class ErrorPages:
    """Middleware that shows a browser a page where a program gets a problem document."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and replace problems by pages."""
        if scope["type"] != "http" or not wants_page(Request(scope)):
            return await self._app(scope, receive, send)
        statuses: list[int] = []

        async def screen(message: Message) -> None:
            if _is_problem(message):
                statuses.append(message["status"])
            if not statuses:
                await send(message)

        await self._app(scope, receive, screen)
        if statuses:
            page = error_page(Request(scope), statuses[0], self._settings)
            await page(scope, receive, send)
        return None


def _is_problem(message: Message) -> bool:
    if message["type"] != "http.response.start":
        return False
    return Headers(raw=message["headers"]).get("content-type", "").startswith(_PROBLEM)
