"""Lends servers to an eval: empty, and gone when it ends."""

import base64
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import SecretStr

from api.embedded.postgres import EmbeddedPostgres
from api.embedded.valkey import EmbeddedValkey
from api.migrations.runner import migrate
from api.settings import Settings
from evals.store import create_database, drop_database


@contextmanager
def throwaway(settings: Settings, *, durable: bool = False) -> Iterator[Settings]:
    """Lend settings with a new, migrated database, a Redis and a key of its own.

    Servers that the settings name are used, with a database of our own there; embedded ones are
    started for the rest. What was made goes with the block.

    Args:
        durable: as a real deployment's servers write; False only where nothing is timed.
    Raises: ServerFailed: an embedded server is needed and does not start.
    """
    with ExitStack() as stack:
        home = stack.enter_context(_folder())
        database_url = stack.enter_context(_database(settings.database_url, home, durable=durable))
        redis_url = settings.redis_url or stack.enter_context(_valkey(home, durable=durable))
        migrate(database_url)
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        yield settings.model_copy(
            update={
                "home": home,
                "database_url": database_url,
                "redis_url": redis_url,
                "master_key": SecretStr(key),
                "demo": True,
            }
        )


@contextmanager
def database_beside(url: str) -> Iterator[str]:
    """Lend another new database on the same server."""
    name = f"orienta_eval_{secrets.token_hex(6)}"
    try:
        yield create_database(url, name)
    finally:
        drop_database(url, name)


@contextmanager
def _folder() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="orienta-eval-"))
    home.chmod(0o711)  # an embedded server that root starts runs as somebody else
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _database(given: str | None, home: Path, *, durable: bool) -> Iterator[str]:
    if given is None:
        with EmbeddedPostgres(home / "postgres", durable=durable) as server:
            yield server.start()
        return
    with database_beside(given) as url:
        yield url


@contextmanager
def _valkey(home: Path, *, durable: bool) -> Iterator[str]:
    with EmbeddedValkey(home / "valkey", durable=durable) as server:
        yield server.start()
