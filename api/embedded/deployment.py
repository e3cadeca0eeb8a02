"""Fills the gaps of a deployment: embedded servers and secrets where the settings name none."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import SecretStr

from api.embedded.postgres import EmbeddedPostgres
from api.embedded.secrets import ensure_secrets
from api.embedded.valkey import EmbeddedValkey
from api.settings import Settings


def postgres_of(home: Path) -> EmbeddedPostgres:
    """The embedded PostgreSQL of a home."""
    return EmbeddedPostgres(home / "postgres")


def valkey_of(home: Path) -> EmbeddedValkey:
    """The embedded Valkey of a home."""
    return EmbeddedValkey(home / "valkey")


@contextmanager
def complete(settings: Settings, *, redis: bool = True) -> Iterator[Settings]:
    """Lend settings with every address and secret; what had to be started stops with the block.

    A server that already runs under this home is shared and left running.

    Args:
        redis: False for what needs the database alone.
    Raises: ServerFailed: an embedded server is needed and does not start.
    """
    with ExitStack() as stack:
        found: dict[str, object] = {}
        if settings.database_url is None:
            postgres = stack.enter_context(postgres_of(settings.home))
            found["database_url"] = postgres.start()
        if redis and settings.redis_url is None:
            found["redis_url"] = stack.enter_context(valkey_of(settings.home)).start()
        yield with_secrets(settings.model_copy(update=found))


def with_secrets(settings: Settings) -> Settings:
    """The settings with the home's secrets where they name none."""
    if settings.master_key is not None and settings.identity_token_secret is not None:
        return settings
    kept = ensure_secrets(settings.home)
    update = {
        "master_key": settings.master_key or SecretStr(kept.master_key),
        "identity_token_secret": settings.identity_token_secret
        or SecretStr(kept.identity_token_secret),
    }
    return settings.model_copy(update=update)


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as the environment of a child process that shall have the same."""
    plain = {
        "HOME": str(settings.home.absolute()),
        "HOST": settings.host,
        "PORT": str(settings.port),
        "DEMO": str(settings.demo).lower(),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "MASTER_KEY": _plain(settings.master_key),
        "IDENTITY_TOKEN_SECRET": _plain(settings.identity_token_secret),
    }
    return {f"ORIENTA_{name}": value for name, value in plain.items() if value is not None}


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
