"""Lists stay fast: with 20,000 students every list and detail finds its rows by an index."""

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import tuple_row

from api.bootstrap import Services, open_services
from api.demo.generator import generate
from api.demo.loader import load_demo
from api.settings import Settings
from evals.bench.lists import store
from evals.bench.lists.visitor import addresses, following_address, visitor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STUDENTS = 20_000
#: Tables of this size must not be read from end to end for one page.
LARGE = 4_000
QUERIES = ("Ana", "valentina ramires", "Gomes")


@pytest.fixture(scope="module")
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with open_services(settings) as services:
        await load_demo(services, report=lambda *_: None)
        await generate(services, students=STUDENTS, seed=7, report=lambda *_: None)
        yield services


class Plans:
    """Explains every query that goes over a connection, and remembers what it reads whole."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, large: list[str]) -> None:
        self.explained = 0
        self.scans: set[str] = set()
        self.address = ""
        self._found = [f"Seq Scan on {table} " for table in large]
        real = psycopg.AsyncCursor.execute

        async def explained(cursor: Any, query: Any, params: Any = None, **kwargs: Any) -> Any:
            text = query if isinstance(query, str) else query.as_string(cursor)
            if text.lstrip().startswith(("SELECT", "WITH")):
                explaining = cursor.connection.cursor(row_factory=tuple_row)
                await real(explaining, f"EXPLAIN {text}", params)
                self._note(text, [str(line) for (line,) in await explaining.fetchall()])
            return await real(cursor, query, params, **kwargs)

        monkeypatch.setattr(psycopg.AsyncCursor, "execute", explained)

    def _note(self, text: str, lines: list[str]) -> None:
        self.explained += 1
        for line in lines:
            if any(scan in f"{line} " for scan in self._found):
                self.scans.add(f"{self.address}: {line.strip()} ← {' '.join(text.split())}")


async def test_every_list_and_detail_is_found_by_index(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with services.database.read() as conn:
        large = await store.select_large_tables(conn, rows=LARGE)
    assert {"people", "leads", "activities", "invoices", "payments", "enrolments"} <= set(large)
    async with visitor(services) as client:
        wanted = await addresses(services)
        wanted += [f"/v1/{noun}?query={q}" for noun in ("people", "leads") for q in QUERIES]
        plans = Plans(monkeypatch, large)
        for plans.address in wanted:
            answer = await client.get(plans.address)
            assert answer.status_code in (200, 404), (plans.address, answer.text)
            if following := following_address(plans.address, answer):
                assert (await client.get(following)).status_code == 200
    assert plans.explained > 2 * len(wanted)
    assert not plans.scans, "\n".join(sorted(plans.scans))
