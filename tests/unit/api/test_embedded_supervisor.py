"""The demo's supervisor, its single-run lock, its port."""

import fcntl
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import ClassVar

import pytest

from api.commands.children import launcher
from api.commands.ports import choose_port
from api.commands.running_demo import (
    AlreadyRunning,
    RunningDemo,
    announce,
    claim,
    running_demo,
)
from api.commands.supervisor import (
    FIRST_WAIT_S,
    LONGEST_WAIT_S,
    SETTLED_S,
    Service,
    Supervisor,
    terminable,
)
from api.embedded.process import Child, spawn
from api.embedded.state import take_lock
from crm.errors import Unavailable


class FlakyServer:
    """A server that is down until it is started, and whose first start may fail."""

    name: ClassVar[str] = "Flaky"

    def __init__(self, *, failures: int = 0) -> None:
        self.alive = False
        self.failures = failures
        self.stopped = False

    def start(self) -> str:
        if self.failures:
            self.failures -= 1
            raise Unavailable("flaky", "Flaky does not start yet.")
        self.alive = True
        return "flaky://"

    def stop(self) -> None:
        self.alive, self.stopped = False, True


def sleeper() -> subprocess.Popen[bytes]:
    with open(os.devnull, "wb") as log:
        return spawn(Child(command=("/bin/sleep", "600")), log=log)


def kill(service: Service) -> None:
    assert service.process is not None
    service.process.kill()
    os.waitid(os.P_PID, service.process.pid, os.WEXITED | os.WNOWAIT)


def test_a_killed_service_starts_again_after_its_wait() -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    service = supervisor.run_service("worker", sleeper)
    begun = service.started_at
    first = service.process
    kill(service)
    supervisor.tick(begun + 1)
    assert service.process is None
    assert said == ["the worker ended unexpectedly (SIGKILL): starting it again in 1 s"]
    supervisor.tick(service.due_at - 0.01)
    assert service.process is None
    supervisor.tick(service.due_at)
    assert service.process is not None
    assert service.process is not first
    supervisor.stop()


def test_what_a_killed_service_leaves_behind_is_killed_too(tmp_path: Path) -> None:
    lock = take_lock(tmp_path)
    assert lock is not None

    def parent_of_a_sleeper() -> subprocess.Popen[bytes]:
        command = ("/bin/sh", "-c", "/bin/sleep 600 & echo $! ; wait")
        with (tmp_path / "log").open("wb") as log:
            return spawn(Child(command=command), log=log, keep_open=(lock.fileno(),))

    os.mkfifo(tmp_path / "log")
    reader = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    supervisor = Supervisor(print)
    service = supervisor.run_service("worker", parent_of_a_sleeper)
    os.set_blocking(reader, True)
    assert os.read(reader, 20).strip().isdigit()  # the sleeper has begun
    os.close(reader)
    lock.close()
    kill(service)
    assert take_lock(tmp_path) is None  # the orphan holds it
    supervisor.tick(0.0)
    with (tmp_path / "server.lock").open("ab") as freed:
        fcntl.flock(freed, fcntl.LOCK_EX)
    supervisor.stop()


def test_waits_double_up_to_a_limit_and_a_long_life_resets_them() -> None:
    service = Service("worker", sleeper)
    waits = []
    for _ in range(10):
        service.started_at = 0.0
        service.note_death(1.0)
        waits.append(service.wait_s)
    assert waits[:3] == [1.0, 2.0, 4.0]
    assert waits[-1] == LONGEST_WAIT_S
    service.note_death(SETTLED_S + 1)
    assert service.wait_s == FIRST_WAIT_S


def test_a_dead_server_is_started_before_the_services_are_looked_at() -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    server = FlakyServer()
    supervisor.run_server(server)
    server.alive, server.failures = False, 1
    supervisor.tick(0.0)
    supervisor.tick(0.0)
    assert server.alive
    again = "Flaky ended unexpectedly: starting it again"
    assert said == [again, "Flaky does not start yet.", again]


def test_stop_ends_services_and_servers() -> None:
    supervisor = Supervisor(print)
    server = FlakyServer()
    supervisor.run_server(server)
    process = supervisor.run_service("API", sleeper).process
    supervisor.stop()
    assert process is not None
    assert process.returncode == -signal.SIGTERM
    assert server.stopped


def test_sigterm_interrupts_like_ctrl_c_and_only_inside_the_block() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), terminable():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_child_writes_its_log_and_sees_the_settings_it_is_given(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "help.log"
    environment = {"ORIENTA_HOME": str(tmp_path), "COLUMNS": "120"}
    process = launcher("--help", environment=environment, log=log)()
    assert process.wait(60) == 0
    assert "doctor" in log.read_text()


def test_a_second_demo_learns_where_the_first_one_answers(tmp_path: Path) -> None:
    with claim(tmp_path):
        announce(tmp_path, "http://127.0.0.1:8000")
        expected = RunningDemo(os.getpid(), "http://127.0.0.1:8000")
        assert running_demo(tmp_path) == expected
        with pytest.raises(AlreadyRunning) as refused, claim(tmp_path):
            raise AssertionError("two demos on one home")
        assert refused.value.demo == expected
    assert running_demo(tmp_path) is None


def test_a_demo_that_was_killed_is_noticed_by_the_next_one(tmp_path: Path) -> None:
    with claim(tmp_path) as was_killed:
        assert not was_killed
    announce(tmp_path, "http://127.0.0.1:8000")  # what a killed one leaves behind
    assert running_demo(tmp_path) is None
    with claim(tmp_path) as was_killed:
        assert was_killed


def test_a_taken_port_gives_way_to_the_next_free_one() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        chosen = choose_port("127.0.0.1", taken)
    assert chosen > taken
    assert choose_port("127.0.0.1", taken) == taken
