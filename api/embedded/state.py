"""What a running embedded server leaves on disk: a lock, a password, its address and a log."""

import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

LOG_LIMIT_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class ServerState:
    """Where a server was last seen; `pid` is None once it was stopped in order."""

    url: str
    port: int
    pid: int | None


def read_state(data_dir: Path) -> ServerState | None:
    """The recorded state, or None where none was or it is damaged."""
    try:
        return ServerState(**json.loads((data_dir / "state.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write_state(data_dir: Path, state: ServerState) -> None:
    """Record the state atomically, readable by its owner alone: the URL holds a password."""
    write_private(data_dir / "state.json", json.dumps(asdict(state)))


def write_private(path: Path, text: str) -> None:
    """Write a file that only the folder's owner can read, whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if os.geteuid() == 0:  # a folder of another user's stays usable by that user
        owner = path.parent.stat()
        os.chown(partial, owner.st_uid, owner.st_gid)
    partial.replace(path)


def ensure_password(data_dir: Path) -> str:
    """The server's password, made on first use."""
    path = data_dir / "password"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return path.read_text()


def take_lock(data_dir: Path) -> BinaryIO | None:
    """The lock that a server holds while any of its processes lives, or None if one does.

    The server inherits the open file, so the kernel frees the lock with its last process: unlike
    a process id it is never stale.
    """
    return lock_file(data_dir / "server.lock")


def lock_file(path: Path) -> BinaryIO | None:
    """The lock on a file, held until it is closed; None if another process holds it."""
    lock = path.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def open_log(data_dir: Path) -> BinaryIO:
    """The server's log for appending."""
    return append_log(data_dir / "server.log")


def append_log(path: Path) -> BinaryIO:
    """A log for appending; a long one is set aside first."""
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def log_tail(data_dir: Path, lines: int = 6) -> str:
    """The last lines of the server's log, for an error message."""
    try:
        text = (data_dir / "server.log").read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
