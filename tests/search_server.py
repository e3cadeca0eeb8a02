"""A server that speaks Elasticsearch's protocol, for tests: killed, paused and started again."""

from __future__ import annotations

import shutil
import signal
import time
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from api.embedded.account import Account
from api.embedded.process import Child, end, spawn
from api.embedded.server import POLL_S, START_S, free_port

if TYPE_CHECKING:
    import subprocess

PACKAGE = "noida-db"
PROGRAM = "noida_db/noida-db"


class SearchServer:
    """The stand-in of the `noida-db` package, on 127.0.0.1; its data are gone when it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address, the same after each start."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> str:
        """Start the server, empty, and wait until it answers; returns its URL."""
        account = Account.for_server()
        data = self._new_data(account)
        self._port = free_port(self._port)
        program = self._folder / "noida-db"
        if not program.exists():
            shutil.copy(str(distribution(PACKAGE).locate_file(PROGRAM)), program)
            program.chmod(0o755)
        command = (
            *(str(program), "start", "--only", "elasticsearch", "--data-dir", str(data)),
            *("--elasticsearch-port", str(self._port)),
        )
        with (self._folder / "log").open("ab") as log:
            self._process = spawn(Child(command=command, account=account, cwd=data), log=log)
        self._wait()
        return self.url

    def kill(self) -> None:
        """End the server as a crash would."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def pause(self) -> None:
        """Let the server hang: connections are taken and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a hanging server go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End the server."""
        if self._process is not None:
            self.resume()
            end(self._process)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _new_data(self, account: Account) -> Path:
        self._folder.mkdir(exist_ok=True)
        self._folder.chmod(0o711)
        self._starts += 1
        data = self._folder / f"data-{self._starts}"
        data.mkdir(mode=0o700)
        account.own(data)
        return data

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while not self._answers():
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "log").read_text("utf-8", "replace")[-2_000:])
            time.sleep(POLL_S)

    def _answers(self) -> bool:
        try:
            return httpx.get(self.url, timeout=3).is_success
        except httpx.HTTPError:
            return False
