"""Gives every request an id, and an answer even when the code behind it breaks."""

import logging
import re
from collections.abc import Callable
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)

HEADER = "X-Request-Id"
_ACCEPTABLE = re.compile(r"[A-Za-z0-9_-]{8,64}")


class RequestIds:
    """ASGI middleware: takes the caller's id or makes one, and returns it in `X-Request-Id`.

    Args:
        failed: makes the response for an exception that nobody handled, from the request's id.
    """

    def __init__(self, app: ASGIApp, *, failed: Callable[[str], Response]) -> None:
        self._app = app
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _id_for(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            _log.info("request %s: the client left", request_id)
        except Exception:
            # The last boundary: the caller learns an id, the log everything else.
            _log.exception("request %s failed", request_id)
            if started:
                raise
            await self._failed(request_id)(scope, receive, send_with_id)


def request_id_of(scope: Scope) -> str | None:
    """Return the request's id, or None outside the middleware."""
    found: str | None = scope.get("state", {}).get("request_id")
    return found


def _id_for(scope: Scope) -> str:
    given = Headers(scope=scope).get(HEADER, "")
    return given if _ACCEPTABLE.fullmatch(given) else uuid4().hex
