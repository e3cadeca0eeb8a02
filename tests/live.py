"""Real API processes for tests: started on a free port, killed and started again at will."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
_START_S = 60.0


class LiveApi:
    """One `uvicorn` process that serves the application."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> LiveApi:
        """Start and wait until the process says that it is ready."""
        command = [sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory"]
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning"]
        options += ["--timeout-graceful-shutdown", "5"]
        self._process = subprocess.Popen(
            command + options, cwd=ROOT, env=self._complete(), start_new_session=True
        )
        deadline = time.monotonic() + _START_S
        while not self._ready():
            if self._process.poll() is not None:
                raise RuntimeError(f"the API ended with {self._process.returncode}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError("the API did not become ready")
            time.sleep(0.1)
        return self

    def _complete(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ORIENTA_", "OPENAI_"))}
        return kept | self.environment | {"ORIENTA_PORT": str(self.port)}

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the process in order."""
        self._end(signal.SIGTERM)

    def _end(self, sign: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, sign)
            self._process.wait(30)
