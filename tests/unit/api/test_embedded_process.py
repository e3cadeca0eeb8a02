"""Child processes, locks and settings of the embedded servers."""

import fcntl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from api.embedded import postgres_settings
from api.embedded.postgres_settings import MB, server_settings
from api.embedded.process import Child, end, spawn
from api.embedded.server import free_port
from api.embedded.state import (
    LOG_LIMIT_BYTES,
    ServerState,
    open_log,
    read_state,
    take_lock,
    write_state,
)

ROOT = Path(__file__).parents[3]
ORPHANING_PARENT = """
import os, sys
from pathlib import Path
from api.embedded.process import Child, spawn
lock = open(sys.argv[1], "ab")
import fcntl; fcntl.flock(lock, fcntl.LOCK_EX)
with open(os.devnull, "wb") as log:
    spawn(Child(command=("/bin/cat",)), log=log, keep_open=(lock.fileno(),))
sleep = Child(command=("/bin/sleep", "600"))
child = spawn(sleep, log=sys.stdout.buffer, keep_open=(lock.fileno(),))
os.kill(os.getpid(), 9)
"""


def test_a_child_ends_with_a_killed_parent(tmp_path: Path) -> None:
    parent = subprocess.run(
        [sys.executable, "-c", ORPHANING_PARENT, str(tmp_path / "server.lock")],
        cwd=ROOT,
        stdout=subprocess.PIPE,  # read to its end, so until the child has let go of it
        timeout=60,
        check=False,
    )
    assert parent.returncode == -9
    with (tmp_path / "server.lock").open("rb") as inherited:
        # An ending process lets go of its output first and of the lock last: wait for the lock.
        fcntl.flock(inherited, fcntl.LOCK_EX)
    lock = take_lock(tmp_path)
    assert lock is not None
    lock.close()


def test_a_lock_is_held_until_the_last_process_that_inherited_it_ends(tmp_path: Path) -> None:
    lock = take_lock(tmp_path)
    assert lock is not None
    with (tmp_path / "log").open("wb") as log:
        child = spawn(Child(command=("/bin/sleep", "600")), log=log, keep_open=(lock.fileno(),))
    lock.close()
    assert take_lock(tmp_path) is None
    end(child)
    free = take_lock(tmp_path)
    assert free is not None
    free.close()


def test_a_child_that_ignores_its_signal_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"trap '' TERM; mkfifo {ready}.in; echo > {ready}; read line < {ready}.in"
    subprocess.run(["/usr/bin/mkfifo", str(ready)], check=True)
    with (tmp_path / "log").open("wb") as log:
        child = spawn(Child(command=("/bin/sh", "-c", script)), log=log)
    ready.read_text()  # blocks until the trap is set
    end(child, patience_s=0.2)
    assert child.returncode == -9


def test_children_start_from_the_main_thread_only(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def start() -> None:
        with (tmp_path / "log").open("wb") as log:
            try:
                spawn(Child(command=("/bin/true",)), log=log)
            except RuntimeError as error:
                errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert [str(error) for error in errors] == ["children are started from the main thread only"]


def test_a_damaged_state_file_counts_as_none(tmp_path: Path) -> None:
    write_state(tmp_path, ServerState("redis://x", 1, 2))
    assert read_state(tmp_path) == ServerState("redis://x", 1, 2)
    for damaged in ("", "{}", "[1]", '{"url": "x"'):
        (tmp_path / "state.json").write_text(damaged)
        assert read_state(tmp_path) is None


def test_a_long_log_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_bytes(b"x" * (LOG_LIMIT_BYTES + 1))
    with open_log(tmp_path) as log:
        log.write(b"new\n")
    assert (tmp_path / "server.log").read_text() == "new\n"
    assert (tmp_path / "server.log.1").stat().st_size == LOG_LIMIT_BYTES + 1


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        assert free_port(taken) not in (0, taken)
    assert free_port(taken) == taken


@pytest.mark.parametrize(
    ("memory_mb", "buffers"), [(512, "64MB"), (4096, "256MB"), (256 * 1024, "1024MB")]
)
def test_buffers_follow_the_memory_within_bounds(
    memory_mb: int, buffers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_settings, "machine_memory_bytes", lambda: memory_mb * MB)
    assert f"shared_buffers = '{buffers}'\n" in server_settings(durable=True)


def test_only_a_test_server_gives_up_durability() -> None:
    assert "fsync = on\n" in server_settings(durable=True)
    assert "synchronous_commit = on\n" in server_settings(durable=True)
    assert "fsync = off\n" in server_settings(durable=False)
