"""The one bridge from Celery's synchronous tasks to our asynchronous services."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from api.bootstrap import Services, open_services
from api.settings import Settings

Result = TypeVar("Result")
Work = Callable[[Services], Coroutine[Any, Any, Result]]

CLOSE_S = 15.0


class Bridge:
    """One event loop, in a thread of its own, and one set of services for a worker process.

    The loop runs on between tasks, so that pools can tend their connections. Whatever is loaded
    late (the embedder) is loaded here, in the child, after the fork.
    """

    def __init__(self, settings: Settings) -> None:
        self.pid = os.getpid()
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._keeper: Future[None] | None = None
        self._opened: Future[Services] = Future()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bridge", daemon=True)
        self._thread.start()

    def run(self, work: Work[Result]) -> Result:
        """Run a coroutine with the services and wait for it; an interruption cancels it."""
        services = self._services()
        running = asyncio.run_coroutine_threadsafe(work(services), self._loop)
        try:
            return running.result()
        except BaseException:
            running.cancel()
            raise

    def close(self) -> None:
        """Close the services and end the loop."""
        if self._keeper is not None:
            self._loop.call_soon_threadsafe(self._closing.set)
            self._keeper.result(CLOSE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_S)
        self._loop.close()

    def _services(self) -> Services:
        """The services, opened by the first task, or anew after a try that failed."""
        if self._keeper is None or self._keeper.done():
            self._opened = Future()
            self._keeper = asyncio.run_coroutine_threadsafe(self._keep(self._opened), self._loop)
        return self._opened.result()

    async def _keep(self, opened: "Future[Services]") -> None:
        """Hold the services open: they are closed by the task that opened them."""
        try:
            async with open_services(self._settings) as services:
                opened.set_result(services)
                await self._closing.wait()
        except Exception as error:  # the waiting task raises it
            if opened.done():
                raise
            opened.set_exception(error)


_bridge: Bridge | None = None


def bridge() -> Bridge:
    """The bridge of this process; a forked child makes its own."""
    global _bridge
    if _bridge is None or _bridge.pid != os.getpid():
        _bridge = Bridge(Settings())
    return _bridge


def close_bridge() -> None:
    """Close this process's bridge, if it has one."""
    global _bridge
    if _bridge is not None and _bridge.pid == os.getpid():
        _bridge.close()
    _bridge = None
