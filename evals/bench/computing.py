"""What a server and its database's sessions compute; a busy machine moves it less than the time."""

import os
from pathlib import Path

import psycopg

from evals.bench import store

#: Fields of /proc/<pid>/stat after the command's name: user and system time, in ticks.
_TIMES = slice(11, 13)
SERVER, SESSIONS = "computed by the server", "computed by the sessions"


def read_computed(pid: int, url: str) -> dict[str, float]:
    """Return what a server's process and the sessions of its database have computed so far, in ms.

    What the system does not tell, or is done on another machine, is left out.
    """
    found = {SERVER: _computed_ms(pid), SESSIONS: _sessions_computed_ms(url)}
    return {name: ms for name, ms in found.items() if ms is not None}


def _computed_ms(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return sum(map(int, fields[_TIMES])) * 1_000 / os.sysconf("SC_CLK_TCK")


def _sessions_computed_ms(url: str) -> float | None:
    with psycopg.connect(url, autocommit=True) as connection:
        found = [_computed_ms(pid) for pid in store.select_session_pids(connection)]
    known = [ms for ms in found if ms is not None]
    return sum(known) if known else None
