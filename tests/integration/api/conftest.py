"""Settings for a database with the demo institution."""

import pytest

from api.settings import Settings
from tests.demo_database import MASTER_KEY


@pytest.fixture(scope="module")
def demo_settings(demo_database_url: str, redis_url: str) -> Settings:
    """Settings of a process that serves this module's copy of the demo institution."""
    return Settings(
        _env_file=None,
        demo=True,
        database_url=demo_database_url,
        redis_url=redis_url,
        master_key=MASTER_KEY,
        embedder="none",
        payment_gateway="sandbox",
    )
