"""Finds the route of a request without trying all the routes that there are."""

from fastapi import APIRouter
from starlette.routing import Match
from starlette.types import Scope


class Chapter(APIRouter):
    """A router that tries its routes only for addresses that begin as one of them does.

    Trying all routes of all routers one by one took up to 0.3 ms a request.
    """

    _known: tuple[int, tuple[str, ...]] = (0, ())

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a route fits, and what it takes from the address."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return super().matches(scope) if path.startswith(self._beginnings()) else (Match.NONE, {})

    def _beginnings(self) -> tuple[str, ...]:
        counted, beginnings = self._known
        if counted != len(self.routes):
            paths = [str(getattr(route, "path", "")) for route in self.routes]
            beginnings = tuple({path.partition("{")[0] for path in paths})
            self._known = len(self.routes), beginnings
        return beginnings
