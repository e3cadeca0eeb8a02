"""One demo a home: who runs it and where it answers."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from api.embedded.state import lock_file, write_private


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """A demo that runs: its process, and its address once it has one."""

    pid: int
    url: str | None = None


class AlreadyRunning(Exception):
    """Another process runs the demo of this home."""

    def __init__(self, demo: RunningDemo) -> None:
        super().__init__(f"process {demo.pid}")
        self.demo = demo


@contextmanager
def claim(home: Path) -> Iterator[bool]:
    """Be the one demo of this home while the block runs.

    Yields: whether the last one was killed, so that its children may still be ending.
    Raises: AlreadyRunning: another process is.
    """
    home.mkdir(parents=True, exist_ok=True)
    lock = lock_file(home / "demo.lock")
    if lock is None:
        raise AlreadyRunning(_read(home))
    with lock:
        was_killed = (home / "demo.json").exists()
        announce(home, None)
        try:
            yield was_killed
        finally:
            (home / "demo.json").unlink(missing_ok=True)


def announce(home: Path, url: str | None) -> None:
    """Note where this process's demo answers."""
    write_private(home / "demo.json", json.dumps(asdict(RunningDemo(os.getpid(), url))))


def running_demo(home: Path) -> RunningDemo | None:
    """The demo that runs on this home, if one does."""
    try:
        with (home / "demo.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _read(home)
    return None


def _read(home: Path) -> RunningDemo:
    try:
        return RunningDemo(**json.loads((home / "demo.json").read_text()))
    except (OSError, ValueError, TypeError):
        return RunningDemo(0)
