"""Keeps a command's child processes and servers running, and stops them in order."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Protocol

from api.embedded.process import end, end_orphans
from crm.errors import OrientaError

TICK_S = 0.5
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
STOP_S = 20.0
SETTLED_S = 60.0  # a child that lived this long starts again without waiting


class Server(Protocol):
    """An embedded server as the supervisor sees it."""

    name: ClassVar[str]

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        ...

    def start(self) -> str:
        """Start it at its old address."""
        ...

    def stop(self) -> None:
        """Stop it."""
        ...


@dataclass(slots=True)
class Service:
    """A child process that is to be there, and how its last starts went."""

    name: str
    launch: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    wait_s: float = FIRST_WAIT_S

    def start(self, now: float) -> None:
        """Start it."""
        self.process, self.started_at = self.launch(), now

    def note_death(self, now: float) -> None:
        """Plan the next start: at once after a long life, ever later after short ones."""
        lived = now - self.started_at
        self.wait_s = FIRST_WAIT_S if lived > SETTLED_S else min(self.wait_s * 2, LONGEST_WAIT_S)
        self.due_at = now + self.wait_s
        self.process = None


class Supervisor:
    """Watches servers and services; `say` tells the operator what happened."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._servers: list[Server] = []
        self._services: list[Service] = []

    def run_server(self, server: Server) -> str:
        """Start a server and keep it running; returns its URL."""
        url = server.start()
        self._servers.append(server)
        return url

    def run_service(self, name: str, launch: Callable[[], subprocess.Popen[bytes]]) -> Service:
        """Start a child process and keep it running."""
        service = Service(name, launch)
        self._services.append(service)
        service.start(time.monotonic())
        return service

    def watch(self) -> None:
        """Mend what dies, until interrupted."""
        while True:
            time.sleep(TICK_S)
            self.tick(time.monotonic())

    def tick(self, now: float) -> None:
        """Look at everything once; servers first, for the services need them."""
        for server in self._servers:
            if not server.alive:
                self._restart_server(server)
        for service in self._services:
            self._look_at(service, now)

    def stop(self) -> None:
        """Stop the services in the order of their start, then the servers in reverse."""
        for service in self._services:
            if service.process is not None:
                end(service.process, patience_s=STOP_S)
                end_orphans(service.process)
        for server in reversed(self._servers):
            server.stop()
        self._services, self._servers = [], []

    def _restart_server(self, server: Server) -> None:
        self._say(f"{server.name} ended unexpectedly: starting it again")
        try:
            server.start()
        except OrientaError as error:
            self._say(error.safe_message)

    def _look_at(self, service: Service, now: float) -> None:
        if service.process is None:
            if now >= service.due_at:
                service.start(now)
            return
        code = service.process.poll()
        if code is not None:
            end_orphans(service.process)  # or they would hold the port, or work unwatched
            service.note_death(now)
            self._say(
                f"the {service.name} ended unexpectedly ({_cause(code)}): "
                f"starting it again in {service.wait_s:g} s"
            )


def _cause(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


@contextmanager
def terminable() -> Iterator[None]:
    """Make SIGTERM and a closed terminal interrupt the block as Ctrl-C does."""
    previous = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
