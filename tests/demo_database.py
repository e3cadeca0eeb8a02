"""A database with the demo institution, and the settings that go with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from api.bootstrap import open_services
from api.demo.loader import load_demo
from api.settings import Settings

#: 32 bytes; whoever opens a copy of the template needs this one.
MASTER_KEY = "b3JpZW50YS10ZXN0LW1hc3Rlci1rZXktMzItYnl0ZXM="
IDENTITY_SECRET = "a-secret-of-the-host-site-for-tests-only"


def environment(database_url: str, redis_url: str, **more: str) -> dict[str, str]:
    """Return the environment of a process that serves a test's database."""
    return {
        "ORIENTA_DEMO": "true",
        "ORIENTA_DATABASE_URL": database_url,
        "ORIENTA_REDIS_URL": redis_url,
        "ORIENTA_MASTER_KEY": MASTER_KEY,
        "ORIENTA_IDENTITY_TOKEN_SECRET": IDENTITY_SECRET,
        **{f"ORIENTA_{name.upper()}": value for name, value in more.items()},
    }


def settings_of(database_url: str, redis_url: str, **more: Any) -> Settings:
    """Return the settings of a process that serves a test's database, without vectors."""
    return Settings(
        _env_file=None,
        demo=True,
        database_url=database_url,
        redis_url=redis_url,
        master_key=MASTER_KEY,
        embedder="none",
        **more,
    )


def identity_token(email: str) -> str:
    """Return what the host site signs for somebody who is logged in there."""
    now = datetime.now(UTC)
    claims = {"sub": email, "email": email, "aud": "orienta", "iat": now}
    return jwt.encode(claims | {"exp": now + timedelta(minutes=30)}, IDENTITY_SECRET)


async def load_demo_into(database_url: str) -> None:
    """Load the demo institution, with vectors where the shipped ones fit."""
    settings = Settings(demo=True, database_url=database_url, master_key=MASTER_KEY, _env_file=None)
    async with open_services(settings) as services:
        await load_demo(services, report=lambda *_: None)
