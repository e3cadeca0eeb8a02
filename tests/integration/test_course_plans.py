"""Among 5,000 courses and 20,000 groups nothing that looks around reads a table whole."""

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import tuple_row

from api.bootstrap import Services, open_services
from api.settings import Settings
from evals.bench.courses.part import BROWSED, TYPED, fill

pytestmark = [pytest.mark.slow]

LARGE = ("courses", "cohorts", "enrolments")


@pytest.fixture(scope="module")
async def services(settings: Settings) -> AsyncIterator[Services]:
    plain = settings.model_copy(update={"embedder": "none"})
    async with open_services(plain) as services:
        await fill(services)
        yield services


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Explain every query, and remember what it reads whole."""
    found: list[str] = []
    real = psycopg.AsyncCursor.execute

    async def explained(cursor: Any, query: Any, params: Any = None, **kwargs: Any) -> Any:
        if isinstance(query, str) and query.lstrip().startswith(("SELECT", "WITH")):
            explaining = cursor.connection.cursor(row_factory=tuple_row)
            await real(explaining, f"EXPLAIN {query}", params)
            lines = [str(line) for (line,) in await explaining.fetchall()]
            found.append("")
            found.extend(
                f"{x} <- {query}" for x in lines for t in LARGE if f"Seq Scan on {t} " in x
            )
        return await real(cursor, query, params, **kwargs)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", explained)
    return found


async def test_search_reads_no_table_whole(services: Services, scans: list[str]) -> None:
    for filters in BROWSED.values():
        for sort in ("relevance", "start", "price"):
            page = await services.offers.search(filters, sort=sort)
            assert page.items
            if page.next_cursor:
                await services.offers.search(filters, sort=sort, cursor=page.next_cursor)
    assert len(scans) >= 24
    assert [scan for scan in scans if scan] == []


async def test_completion_reads_no_table_whole(services: Services, scans: list[str]) -> None:
    for typed in TYPED:
        await services.offers.suggest(typed)
    assert len(scans) >= len(TYPED)
    assert [scan for scan in scans if scan] == []
