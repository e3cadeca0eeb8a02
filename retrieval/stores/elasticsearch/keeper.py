"""Keeps one process's share in the projection going, through every outage of the server."""

import logging
import time
from collections.abc import Callable

from retrieval.errors import StoreRefused, StoreUnavailable
from retrieval.stores.elasticsearch.projection import Projection
from retrieval.stores.recess import Recess

_log = logging.getLogger(__name__)


class Keeper:
    """Sends what is due and takes the steps that there are, as often as it is called.

    Args:
        clock: monotonic seconds.
    """

    def __init__(
        self, projection: Projection, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._projection = projection
        self._recess = Recess(clock)

    async def keep(self, *, is_over: Callable[[], bool] = lambda: False) -> None:
        """Work until there is nothing left to do; does nothing while the server is left alone."""
        if not self._recess.may_ask():
            return
        try:
            while not is_over() and await self._step():
                pass
        except (StoreUnavailable, StoreRefused) as failure:
            if self._recess.fail(failure.safe_message):
                _log.warning("the search server is told of changes later: %s", failure.safe_message)
            return
        if self._recess.succeed():
            _log.warning("the search server is told of changes again")

    async def _step(self) -> bool:
        return bool(await self._projection.push()) or await self._projection.advance()
