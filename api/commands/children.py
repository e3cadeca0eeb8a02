"""The processes of a running Orienta: how the API and the worker are started."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from api.embedded.process import Child, spawn

LOG_LIMIT_BYTES = 10_000_000


def launcher(
    *arguments: str, environment: Mapping[str, str], log: Path
) -> Callable[[], subprocess.Popen[bytes]]:
    """What starts `orienta ARGUMENTS` with its output in a log file."""

    def launch() -> subprocess.Popen[bytes]:
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        child = Child(
            command=(sys.executable, "-m", "api.cli", *arguments),
            cwd=Path.cwd(),
            environment=os.environ | dict(environment) | {"PYTHONUNBUFFERED": "1"},
        )
        with log.open("ab") as output:
            return spawn(child, log=output)

    return launch
