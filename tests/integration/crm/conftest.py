"""A database of the CRM, and a clock that stands still."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from crm.clock import FixedClock
from crm.db import Pool, open_pool

#: A Tuesday.
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="module")
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, max_size=12)
    yield pool
    await pool.close()
