"""The embedded Valkey: what it acknowledged is there after it was killed."""

import json
import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from api.embedded.valkey import EmbeddedValkey


@pytest.fixture
def folder(server_folder: Path) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(dir=server_folder))
    path.chmod(0o711)
    yield path / "valkey"
    EmbeddedValkey(path / "valkey").erase()


def recorded_pid(folder: Path) -> int:
    return int(json.loads((folder / "state.json").read_text())["pid"])


def connect(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True)


def test_what_was_synced_survives_sigkill(folder: Path) -> None:
    with EmbeddedValkey(folder) as server:
        with connect(server.start()) as client:
            client.xadd("events", {"kind": "token"}, id="7-1")
            assert client.execute_command("WAITAOF", 1, 0, 5000)[0] == 1
        pid = recorded_pid(folder)
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert not server.alive
        with connect(server.start()) as client:
            assert client.xrange("events") == [("7-1", {"kind": "token"})]


def test_data_outlive_an_orderly_restart_and_the_address_stays(folder: Path) -> None:
    with EmbeddedValkey(folder) as server:
        first = server.start()
        with connect(first) as client:
            client.set("word", "año")
    with EmbeddedValkey(folder) as server:
        assert server.start() == first
        with connect(first) as client:
            assert client.get("word") == "año"


def test_a_second_launcher_attaches_and_leaves_the_server_running(folder: Path) -> None:
    with EmbeddedValkey(folder) as server:
        url = server.start()
        second = EmbeddedValkey(folder)
        assert second.start() == url
        second.stop()
        assert server.alive
    assert second.attach() is None


def test_it_refuses_strangers_and_keeps_its_password_to_itself(folder: Path) -> None:
    with EmbeddedValkey(folder) as server:
        url = server.start()
        password = (folder / "password").read_text()
        stranger = redis.Redis.from_url(url.replace(f":{password}@", ""))
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert password not in Path(f"/proc/{recorded_pid(folder)}/cmdline").read_text()
        assert stat.S_IMODE((folder / "state.json").stat().st_mode) == 0o600


def test_it_never_evicts_and_writes_an_append_only_file(folder: Path) -> None:
    with EmbeddedValkey(folder) as server, connect(server.start()) as client:
        settings = client.config_get("*")
        assert settings["maxmemory-policy"] == "noeviction"
        assert settings["appendonly"] == "yes"
        assert settings["appendfsync"] == "everysec"
        assert settings["bind"] == "127.0.0.1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as nobody")
def test_root_runs_it_as_nobody_even_from_a_closed_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    server = EmbeddedValkey(tmp_path / "valkey")
    with connect(server.start()) as client:
        client.set("word", "kept")
    assert Path(f"/proc/{recorded_pid(tmp_path / 'valkey')}").stat().st_uid != 0
    server.erase()
    assert not (tmp_path / "valkey").exists()
