"""Child processes that end when this one does, however it ends."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import BinaryIO

from api.embedded.account import Account

EXEC_CHILD = Path(__file__).with_name("exec_child.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What to run, as whom, and how it learns that its parent has died."""

    command: tuple[str, ...]
    account: Account = field(default_factory=Account.current)
    death_signal: Signals = SIGTERM
    stdin: bytes = b""
    cwd: Path = Path("/")
    environment: Mapping[str, str] | None = None


def spawn(
    child: Child, *, log: BinaryIO, keep_open: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches only this process.

    Raises: RuntimeError: called outside the main thread, whose end would end the child.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("children are started from the main thread only")
    process = subprocess.Popen(  # noqa: S603 (fixed commands of this package, no shell)
        [
            *(sys.executable, "-I", "-S", str(EXEC_CHILD)),
            *(str(os.getpid()), str(int(child.death_signal))),
            *(str(child.account.uid), str(child.account.gid)),
            *child.command,
        ],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=child.cwd,
        env=child.environment,
        pass_fds=keep_open,
        start_new_session=True,
    )
    _feed(process, child.stdin)
    return process


def _feed(process: subprocess.Popen[bytes], text: bytes) -> None:
    if process.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError):  # it has ended: whoever waits for it reports that
        process.stdin.write(text)
        process.stdin.close()


def end(
    process: subprocess.Popen[bytes], *, signal: Signals = SIGTERM, patience_s: float = 30
) -> None:
    """Ask a child to end and wait; kill it when it does not."""
    if process.poll() is not None:
        return
    process.send_signal(signal)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.send_signal(SIGKILL)
        process.wait()


def end_orphans(process: subprocess.Popen[bytes]) -> None:
    """Kill what a dead child has left behind: it led a process group of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, SIGKILL)
