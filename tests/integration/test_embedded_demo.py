"""The whole demo as a process: twice in a row, killed, started again."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from api.commands.ports import choose_port
from api.commands.running_demo import running_demo
from api.embedded.deployment import postgres_of, valkey_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass
class Demos:
    """Starts demos on one home and one port."""

    home: Path
    port: int
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *options: str) -> subprocess.Popen[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("ORIENTA_", "OPENAI_"))}
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "demo", f"--port={self.port}", *options],
            env=clean | {"ORIENTA_HOME": str(self.home), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def run(self, *options: str) -> str:
        """Start one, wait for its end, expect success; returns what it said."""
        process = self.start(*options)
        said, _ = process.communicate()
        assert process.returncode == 0, said
        return said


@pytest.fixture
def demos(server_folder: Path) -> Iterator[Demos]:
    home = server_folder / "demo-home"
    running = Demos(home, choose_port("127.0.0.1", 18_300))
    yield running
    for process in running.started:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    postgres_of(home).erase()
    valkey_of(home).erase()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if words in line:
            return seen
    raise AssertionError(f"it ended without saying {words!r}:\n{seen}")


def test_check_answers_a_question_twice_in_a_row_and_keeps_the_data(demos: Demos) -> None:
    first = demos.run("--check")
    assert "62 courses" in first
    assert re.search(r"USD \d+", first), first
    assert "nothing new" in demos.run("--check")
    assert running_demo(demos.home) is None


def test_after_kill_9_of_everything_it_answers_at_the_same_address_with_all_data(
    demos: Demos,
) -> None:
    first = demos.start()
    address = re.findall(r"http://[\d.:]+", read_until(first, "Ctrl-C stops it"))[-1]
    database_url = postgres_of(demos.home).attach()
    assert database_url is not None
    conversation = httpx.post(f"{address}/v1/chat/sessions", json={"locale": "es"}).json()
    family = descendants_of(first.pid)
    for pid in (first.pid, *family):
        with contextlib.suppress(ProcessLookupError):  # some end with their parent
            os.kill(pid, signal.SIGKILL)
    again = demos.start()
    seen = read_until(again, "Ctrl-C stops it")
    assert re.findall(r"http://[\d.:]+", seen)[-1] == address
    with psycopg.connect(database_url) as connection:
        kept = connection.execute(
            "select count(*) from conversations where id = %s", [conversation["conversation_id"]]
        )
        assert kept.fetchone() == (1,)


def test_a_second_demo_points_to_the_first_and_ctrl_c_stops_all(demos: Demos) -> None:
    first = demos.start()
    read_until(first, "Ctrl-C stops it")
    running = running_demo(demos.home)
    assert running is not None
    assert f"already runs at {running.url}" in demos.run()
    family = descendants_of(first.pid)
    first.send_signal(signal.SIGINT)
    assert first.wait() == 0
    for pid in family:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert postgres_of(demos.home).attach() is None


def test_reset_deletes_the_data_and_nothing_else(demos: Demos) -> None:
    interrupted = demos.start()
    read_until(interrupted, "Schema")
    interrupted.terminate()
    assert interrupted.wait() == 0
    (demos.home / "mine.txt").write_text("not ours")
    said = demos.run("--reset", "--yes", "--check")
    assert "Deleted the data" in said
    assert "62 courses" in said
    assert (demos.home / "mine.txt").read_text() == "not ours"


def descendants_of(parent: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants_of(int(child))]
    return found
