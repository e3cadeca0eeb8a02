"""The embedded PostgreSQL: it starts anywhere, keeps its data, and dies with its parent."""

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
import pytest

from api.embedded import postgres
from api.embedded.account import LINK, Account
from api.embedded.postgres import EmbeddedPostgres
from api.embedded.server import ServerFailed

ROOT = Path(__file__).parents[2]
ORDINARY_USER = pwd.getpwnam("daemon").pw_uid
PARENT = """
import sys
from pathlib import Path
from api.embedded.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.attach(), flush=True)
    sys.stdin.read()
"""


@dataclass
class Parent:
    """Another process that runs a server on the folder until its input ends."""

    process: subprocess.Popen[str]
    url: str = ""

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        self.process.communicate()


class StartParent(Protocol):
    def __call__(self, folder: Path, python: str = ..., **identity: int) -> Parent: ...


@pytest.fixture
def start_parent() -> Iterator[StartParent]:
    parents: list[Parent] = []

    def start(folder: Path, python: str = sys.executable, **identity: int) -> Parent:
        process = subprocess.Popen(
            [python, "-c", PARENT, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PYTHONPATH": os.pathsep.join((str(ROOT), *sys.path))},
            **identity,
        )
        parents.append(Parent(process))
        assert process.stdout is not None
        parents[-1].url = process.stdout.readline().strip()
        assert parents[-1].url
        return parents[-1]

    yield start
    for parent in parents:
        if parent.process.poll() is None:
            parent.close()


def recorded_pid(folder: Path) -> int:
    return int(json.loads((folder / "state.json").read_text())["pid"])


def put(url: str, word: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table if not exists words (word text)")
        connection.execute("insert into words values (%s)", (word,))


def words(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("select word from words order by word")]


@pytest.fixture
def folder(server_folder: Path) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(dir=server_folder))
    path.chmod(0o711)
    yield path / "postgres"
    EmbeddedPostgres(path / "postgres").erase()


def test_data_outlive_an_orderly_restart_and_the_address_stays(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        first = server.start()
        put(first, "año")
    with EmbeddedPostgres(folder) as server:
        assert server.start() == first
        assert words(first) == ["año"]


def test_stop_leaves_no_server_behind(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    pid = recorded_pid(folder)
    server.stop()
    assert server.attach() is None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_committed_data_survive_sigkill_of_parent_and_server(
    folder: Path, start_parent: StartParent
) -> None:
    parent = start_parent(folder)
    put(parent.url, "kept")
    os.kill(recorded_pid(folder), signal.SIGKILL)
    parent.kill()
    with EmbeddedPostgres(folder) as server:
        assert words(server.start()) == ["kept"]


def test_sigkill_of_the_parent_ends_the_server_and_the_next_start_waits_for_that(
    folder: Path, start_parent: StartParent
) -> None:
    parent = start_parent(folder)
    put(parent.url, "kept")
    first = recorded_pid(folder)
    parent.kill()
    with EmbeddedPostgres(folder) as server:
        assert words(server.start()) == ["kept"]
        assert recorded_pid(folder) != first


def test_a_killed_server_is_started_again_by_its_own_launcher(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        url = server.start()
        put(url, "kept")
        os.kill(recorded_pid(folder), signal.SIGKILL)
        os.waitid(os.P_PID, recorded_pid(folder), os.WEXITED | os.WNOWAIT)
        assert not server.alive
        assert words(server.start()) == ["kept"]


def test_a_second_launcher_attaches_and_leaves_the_server_running(
    folder: Path, start_parent: StartParent
) -> None:
    parent = start_parent(folder)
    second = EmbeddedPostgres(folder)
    assert second.start() == parent.url
    second.stop()
    put(parent.url, "still there")
    parent.close()
    assert second.attach() is None


def test_two_launchers_at_once_share_one_server(folder: Path, start_parent: StartParent) -> None:
    parents = [start_parent(folder), start_parent(folder)]
    assert parents[0].url == parents[1].url
    for parent in parents:
        parent.kill()


def test_a_pid_file_that_names_another_program_does_not_keep_it_from_starting(
    folder: Path,
) -> None:
    with EmbeddedPostgres(folder) as server:
        put(server.start(), "kept")
    pid_file = folder / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{folder / 'data'}\n1\n5432\n\n127.0.0.1\n\n")
    shutil.chown(pid_file, (folder / "data").stat().st_uid)
    with EmbeddedPostgres(folder) as server:
        assert words(server.start()) == ["kept"]


def test_an_interrupted_initialisation_is_begun_anew(folder: Path) -> None:
    half = folder / "data.partial"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(folder) as server:
        put(server.start(), "first")


def test_secrets_are_readable_by_their_owner_alone(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        password = (folder / "password").read_text()
        assert password in server.start()
        for name in ("password", "state.json"):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700
        command = Path(f"/proc/{recorded_pid(folder)}/cmdline").read_text()
        assert password not in command


def test_a_wrong_password_is_refused(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        wrong = server.start().replace((folder / "password").read_text(), "guess")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)


def test_spanish_text_is_lowercased_and_stemmed(postgres_server: str) -> None:
    with psycopg.connect(postgres_server) as connection:
        assert connection.execute("select lower('MAÑANA, ÍNDICE, ÜBER')").fetchone() == (
            "mañana, índice, über",
        )
        matched = connection.execute(
            "select to_tsvector('spanish', 'Las MATRÍCULAS del Año')"
            " @@ websearch_to_tsquery('spanish', 'matrícula año')"
        )
        assert matched.fetchone() == (True,)


def test_the_vector_extension_searches_half_precision_vectors(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("create extension vector")
        connection.execute("create table points (id int, at halfvec(3))")
        connection.execute("insert into points values (1, '[1,0,0]'), (2, '[0,1,0]')")
        connection.execute("create index on points using hnsw (at halfvec_cosine_ops)")
        nearest = connection.execute("select id from points order by at <=> '[0.1,0.9,0]' limit 1")
        assert nearest.fetchone() == (2,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_runs_its_own_server_and_root_may_take_it_over(
    folder: Path, start_parent: StartParent
) -> None:
    python = python_for(ORDINARY_USER)
    os.chown(folder.parent, ORDINARY_USER, ORDINARY_USER)
    parent = start_parent(folder, python, user=ORDINARY_USER, group=ORDINARY_USER)
    put(parent.url, "hers")
    assert owner(folder) == ORDINARY_USER
    parent.close()
    with EmbeddedPostgres(folder) as server:  # root takes the owner's account
        assert words(server.start()) == ["hers"]
        assert owner(folder) == ORDINARY_USER
    again = start_parent(folder, python, user=ORDINARY_USER, group=ORDINARY_USER)
    assert words(again.url) == ["hers"]
    again.close()


def python_for(user: int) -> str:
    """An interpreter of our version that the user can run with our packages."""
    account = Account(user, user)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if account.can_run(python, "-c", f"import os; os.listdir({psycopg.__path__[0]!r})"):
            return python
    pytest.skip("no interpreter or no packages here that an ordinary user can read")


def owner(folder: Path) -> int:
    return Path(f"/proc/{recorded_pid(folder)}").stat().st_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as nobody")
def test_root_runs_the_server_as_nobody_even_from_a_closed_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    folder = tmp_path / "postgres"
    server = EmbeddedPostgres(folder)
    put(server.start(), "kept")
    assert owner(folder) != 0
    server.stop()
    outside = (folder / LINK).resolve()
    assert outside != folder
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    with EmbeddedPostgres(folder) as again:
        assert words(again.start()) == ["kept"]
    again.erase()
    assert not outside.exists()


def test_programs_out_of_reach_are_copied_beside_the_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = str(postgres.packaged_programs().site)
    monkeypatch.setattr(Account, "can_run", lambda self, *command: not command[0].startswith(site))
    with EmbeddedPostgres(folder) as server:
        put(server.start(), "kept")
        running = os.readlink(f"/proc/{recorded_pid(folder)}/exe")
    assert Path(running).is_relative_to(folder)


def test_a_folder_of_another_user_is_refused_in_words(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(ServerFailed, match="belongs to another user"):
        EmbeddedPostgres(tmp_path / "postgres").start()
