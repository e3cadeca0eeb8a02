"""The processes of a running Orienta: how the API and the worker are started."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from api.embedded.process import Child, spawn
from api.embedded.state import append_log


def launcher(
    *arguments: str, environment: Mapping[str, str], log: Path
) -> Callable[[], subprocess.Popen[bytes]]:
    """What starts `orienta ARGUMENTS` with its output in a log file."""

    def launch() -> subprocess.Popen[bytes]:
        log.parent.mkdir(parents=True, exist_ok=True)
        child = Child(
            command=(sys.executable, "-m", "api.cli", *arguments),
            cwd=Path.cwd(),
            environment=os.environ | dict(environment) | {"PYTHONUNBUFFERED": "1"},
        )
        with append_log(log) as output:
            return spawn(child, log=output)

    return launch
