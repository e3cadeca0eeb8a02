"""Refuses request bodies that are too large, without reading them to the end."""

from collections.abc import Callable, Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.request_id import request_id_of


class BodyLimit:
    """ASGI middleware: trusts a length that is too large, counts where none is given.

    Args:
        larger: paths that take more, with how much.
        refuse: makes the response, from the request's id.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        larger: Mapping[str, int],
        refuse: Callable[[str | None], Response],
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._larger = larger
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._larger.get(scope["path"], self._max_bytes)
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > most:
            await self._refuse(request_id_of(scope))(scope, receive, send)
            return
        await self._app(scope, self._counting(receive, most), send)

    def _counting(self, receive: Receive, most: int) -> Receive:
        seen = 0

        async def receive_counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                # Frameworks let this one pass to the handler that makes a problem of it.
                raise HTTPException(413)
            return message

        return receive_counted
