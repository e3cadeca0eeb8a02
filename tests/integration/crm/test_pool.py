"""What a borrower leaves behind does not reach the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.pq import PipelineStatus

from crm.db import open_pool

if TYPE_CHECKING:
    import pytest


async def test_connection_left_in_pipeline_mode_is_discarded(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    pool = await open_pool(database_url, min_size=1, max_size=1)
    async with pool.connection() as conn:
        conn.pgconn.enter_pipeline_mode()
    async with pool.connection() as conn:
        assert conn.pgconn.pipeline_status == PipelineStatus.OFF
        cursor = await conn.execute("UPDATE staff SET name = name")
        assert cursor.rowcount == 0
    await pool.close()
