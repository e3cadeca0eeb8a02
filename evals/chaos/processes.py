"""Real processes that are killed with SIGKILL and started again."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
from kombu.exceptions import OperationalError

from api.embedded.postgres import EmbeddedPostgres
from api.embedded.server import ServerFailed
from api.worker.app import create_worker

ROOT = Path(__file__).parents[2]
#: A start may take so long on a machine that others keep busy.
START_S = 180.0


class Process:
    """One of our commands, in a session of its own.

    Args:
        is_ready: whether it does its work already.
    """

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        environment: Mapping[str, str],
        *,
        is_ready: Callable[[], bool],
    ) -> None:
        self.name = name
        self._command = command
        self._environment = {**os.environ, **environment}
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.is_dead:
            log = (ROOT / os.environ.get("CHAOS_LOG", os.devnull)).open("ab")
            with log:
                self._process = subprocess.Popen(  # noqa: S603 (our own command)
                    [sys.executable, *self._command],
                    cwd=ROOT,
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    @property
    def is_dead(self) -> bool:
        """Return whether it does not run."""
        return self._process is None or self._process.poll() is not None

    def wait_ready(self) -> None:
        """Wait until it works, whoever starts it again meanwhile.

        Raises: TimeoutError.
        """
        deadline = time.monotonic() + START_S
        while not self._is_ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} did not become ready")
            time.sleep(0.2)

    def kill(self) -> None:
        """End it and its children at once."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class KillablePostgres(EmbeddedPostgres):
    """The database server, whose process can be killed."""

    def kill(self) -> None:
        """End the postmaster and its backends at once, as a power cut would."""
        if self._process is None:
            return
        # The postmaster first: it would start new backends in the place of those that died.
        children = _children_of(self._process.pid)
        self._process.kill()
        self._process.wait()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process = None

    def restart(self) -> None:
        """Start again on the same port; what was committed is there."""
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.start()
            except ServerFailed:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
            else:
                return


def _children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in found.split()]


def answers(url: str) -> bool:
    """Return whether the API there says that it is ready."""
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def hears(redis_url: str) -> bool:
    """Return whether a worker answers there."""
    celery = create_worker(redis_url)
    try:
        with celery.connection_for_write(connect_timeout=3) as connection:
            return bool(celery.control.ping(timeout=1.0, connection=connection))
    except OperationalError:
        return False
