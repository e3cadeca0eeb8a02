"""The Celery worker as it is deployed, but for a place at which its process dies the first time.

Started as a program: where it dies (a named crash point), what dies with it, where it notes who
came by, and after how many seconds a task that was taken and not finished comes back.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import api.bootstrap
from api.settings import Settings
from api.worker.app import create_worker
from api.worker.tasks import register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm.workflows.crash_points import Reach

POINT, VICTIM, NOTES, VISIBILITY = "POINT", "VICTIM", "NOTES", "VISIBILITY"


def dying_once(environment: Mapping[str, str]) -> Reach:
    """Return what kills the task's process, or the whole worker, at one place, the first time."""
    notes = Path(environment[NOTES])

    def reach(name: str) -> None:
        if name != environment[POINT]:
            return
        is_first = not notes.exists()
        with notes.open("a") as book:
            book.write(f"{os.getpid()}\n")
        if is_first and environment[VICTIM] == "worker":
            os.killpg(os.getpgid(0), signal.SIGKILL)
        elif is_first:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


def main() -> None:
    """Work without a schedule: every task is one that a test sent."""
    api.bootstrap.crash_points = dying_once  # type: ignore[attr-defined]
    celery = create_worker(str(Settings().redis_url))
    celery.conf.broker_transport_options |= {"visibility_timeout": int(os.environ[VISIBILITY])}
    register(celery)
    celery.worker_main(["--quiet", "worker", "--concurrency=1", "--without-mingle"])


if __name__ == "__main__":
    sys.exit(main())
