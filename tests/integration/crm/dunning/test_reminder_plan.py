"""Looking for reminders that are due reads no large table from end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm.payments.dunning import store
from crm.payments.dunning.models import Schedule

if TYPE_CHECKING:
    from tests.integration.crm.dunning.conftest import Collector

INVOICES = 20_000


async def _many(collector: Collector) -> None:
    person_id = await collector.new_payer()
    await collector.execute(
        "INSERT INTO invoices (id, reference, person_id, debtor_id, net_minor, currency, "
        "next_due_on, created_at) SELECT gen_random_uuid(), 'many:' || n, %s, %s, 100, 'PEN', "
        "date '2026-11-24' - 400 + n %% 800, %s FROM generate_series(1, %s) AS n",
        *(person_id, person_id, collector.clock.now(), INVOICES),
    )
    await collector.execute(
        "INSERT INTO instalments SELECT id, 1, 100, next_due_on FROM invoices "
        "WHERE reference LIKE 'many:%%'"
    )
    for table in ("invoices", "instalments", "dunning_reminders"):
        await collector.execute(f"ANALYZE {table}")


async def test_candidates_come_from_an_index(collector: Collector) -> None:
    await _many(collector)
    now = collector.clock.now()
    windows = Schedule().windows(now.date())
    async with collector.database.read() as conn:
        found = await store.select_candidates(conn, windows, today=now.date(), at=now, limit=50)
        rows = await conn.execute(
            f"EXPLAIN {store.CANDIDATES}",
            {
                "steps": [w.step for w in windows],
                "firsts": [w.first for w in windows],
                "lasts": [w.last for w in windows],
                "today": now.date(),
                "at": now,
                "limit": 50,
            },
        )
        plan = [row["QUERY PLAN"] for row in await rows.fetchall()]
    assert len(found) == 50
    scans = [line for line in plan if "Seq Scan" in line]
    assert not [s for s in scans if "instalments" in s or "invoices" in s], plan
