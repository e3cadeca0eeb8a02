"""Starts an application under uvicorn, in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from crm.errors import Unavailable

HOST = "127.0.0.1"
_PATIENCE_S = 60.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Server:
    """Where it answers, and as which process."""

    port: int
    pid: int


@contextmanager
def uvicorn_of(factory: str, environment: Mapping[str, str]) -> Iterator[Server]:
    """Serve an application as `orienta serve` does with one worker.

    Raises: Unavailable("bench.server"): it does not answer.
    """
    port = _free_port()
    address = ["--host", HOST, "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603 our own module
        [sys.executable, "-m", "uvicorn", "--factory", factory, "--no-server-header", *address],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_health(process, port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _await_health(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"http://{HOST}:{port}/healthz").is_success:
                return
        except httpx.TransportError:
            time.sleep(_POLL_S)
    raise Unavailable("bench.server", "The application does not start.")
