"""What the embedded servers share: start or attach, wait until it answers, stop, keep the data."""

import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from signal import Signals
from types import TracebackType
from typing import BinaryIO, ClassVar, Self

from api.embedded.account import LINK, Account, Programs, reachable_folder
from api.embedded.process import Child, end, spawn
from api.embedded.state import (
    ServerState,
    ensure_password,
    log_tail,
    open_log,
    read_state,
    take_lock,
    write_state,
)
from crm.errors import Unavailable

START_S = 120.0  # crash recovery of a large database takes its time
RETRY_S = 5.0  # what a killed predecessor needs to let go of its memory
END_S = 20.0  # how long one whose parent was killed may take to end
POLL_S = 0.03
DATA = "data"


class ServerFailed(Unavailable):
    """An embedded server did not start; the message says why to whoever operates it."""

    def __init__(self, message: str) -> None:
        super().__init__("embedded.server", message)


class EmbeddedServer(ABC):
    """One server on 127.0.0.1 whose files live under `data_dir`."""

    name: ClassVar[str]
    url_setting: ClassVar[str]
    stop_signal: ClassVar[Signals]

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = data_dir.absolute()
        self.durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _prepare(self, folder: Path, account: Account) -> None:
        """Lay out the data once, before the first start."""

    @abstractmethod
    def _child(self, folder: Path, account: Account, port: int) -> Child:
        """The process to run."""

    @abstractmethod
    def _url(self, port: int) -> str:
        """The address clients use."""

    @abstractmethod
    def answers(self, url: str) -> bool:
        """Whether a server with our password answers there."""

    def start(self) -> str:
        """Start the server, or attach to the one that already runs on this folder.

        Returns: its URL.
        Raises: ServerFailed: it cannot run here, or does not answer in time.
        """
        if self._process is not None and self._process.poll() is None:
            return self._url(self._last_port())
        self._open_folder()
        deadline = time.monotonic() + START_S
        while True:
            if lock := take_lock(self.data_dir):
                with lock:
                    return self._launch(lock)
            if url := self.attach():
                return url
            self._pause(deadline)

    def attach(self) -> str | None:
        """The URL of the server that already runs on this folder, if one answers."""
        state = read_state(self.data_dir)
        if state is None or state.pid is None:
            return None
        return state.url if self.answers(state.url) else None

    def stop(self) -> None:
        """Stop the server if we started it; an attached one is its starter's to stop."""
        if self._process is None:
            return
        end(self._process, signal=self.stop_signal)
        self._process = None
        port = self._last_port()
        write_state(self.data_dir, ServerState(self._url(port), port, None))

    def erase(self) -> None:
        """Stop the server and delete its data, wherever they were put.

        Raises: ServerFailed: somebody else's process runs it.
        """
        self.stop()
        if not self.data_dir.exists():
            return
        deadline = time.monotonic() + END_S
        while (lock := take_lock(self.data_dir)) is None:
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} still runs on {self.data_dir}: stop it first")
            time.sleep(POLL_S)
        with lock:
            link = self.data_dir / LINK
            if link.is_symlink():
                shutil.rmtree(link.resolve(), ignore_errors=True)
            shutil.rmtree(self.data_dir, ignore_errors=True)

    @property
    def alive(self) -> bool:
        """Whether the server runs: ours by its process, an attached one by its answer."""
        if self._process is not None:
            return self._process.poll() is None
        return self.attach() is not None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def find_programs(self, find: Callable[[], Programs]) -> Programs:
        """The package's programs, or a failure that names the way out."""
        try:
            return find()
        except (metadata.PackageNotFoundError, FileNotFoundError) as error:
            raise ServerFailed(
                f"{self.name} is not available for this machine ({error}); "
                f"set {self.url_setting} to a server of your own"
            ) from error

    def _open_folder(self) -> None:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            self._password = ensure_password(self.data_dir)
        except PermissionError as error:
            raise ServerFailed(
                f"{self.data_dir} belongs to another user; run this as that user or choose "
                "another folder with ORIENTA_HOME"
            ) from error

    def _launch(self, lock: BinaryIO) -> str:
        account = Account.for_server(self.data_dir / LINK / DATA, self.data_dir / DATA)
        folder = reachable_folder(self.data_dir, account)
        self._prepare(folder, account)
        deadline = time.monotonic() + RETRY_S
        while not self._try_start(folder, account, lock):
            self._pause(deadline)
        return self._url(self._last_port())

    def _try_start(self, folder: Path, account: Account, lock: BinaryIO) -> bool:
        port = free_port(self._last_port())
        with open_log(self.data_dir) as log:
            process = spawn(self._child(folder, account, port), log=log, keep_open=(lock.fileno(),))
        self._process = process
        url = self._url(port)
        try:
            self._wait_for(process, url)
        except BaseException:
            self.stop()
            raise
        if process.poll() is not None:
            return False
        write_state(self.data_dir, ServerState(url, port, process.pid))
        return True

    def _wait_for(self, process: subprocess.Popen[bytes], url: str) -> None:
        deadline = time.monotonic() + START_S
        while process.poll() is None and not self.answers(url):
            self._pause(deadline)

    def _last_port(self) -> int:
        state = read_state(self.data_dir)
        return state.port if state else 0

    def _pause(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise ServerFailed(f"{self.name} does not start:\n{log_tail(self.data_dir)}")
        time.sleep(POLL_S)


def free_port(wanted: int = 0) -> int:
    """A port on 127.0.0.1 that is free now: the wanted one if it can be had."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServerFailed("no free port on 127.0.0.1")
