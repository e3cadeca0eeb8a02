"""The numbers follow from what happened: events make them stale, and they are computed anew."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest

from api.bootstrap import Services, open_services
from api.handlers import NAMES, deliver
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Actor
from crm.analytics import stale_store
from crm.analytics.models import Stale
from crm.clock import FixedClock
from crm.db import Database
from crm.errors import Denied
from crm.ids import PersonId, SubjectId, new_id
from crm.money import Money
from crm.people.models import CreatePerson
from crm.pipeline.models import CreateLead
from tests.rows import Rows

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)


class House(Rows):
    """The services, a clock, and events that reach their handlers at once."""

    def __init__(self, services: Services, clock: FixedClock) -> None:
        self.services = services
        self.database = services.database
        self.clock = clock

    async def person(self) -> PersonId:
        command = CreatePerson(full_name="Ana Paz")
        return (await self.services.people.create_person(command, actor=SERVICE_ACTOR)).id

    async def lead(self, source: str, *stages: str) -> None:
        pipeline = self.services.pipeline
        command = CreateLead(person_id=await self.person(), source=source, term="2027-1")  # type: ignore[arg-type]
        lead = await pipeline.open_lead(command, actor=SERVICE_ACTOR)
        for stage in stages:
            reason = "price" if stage == "lost" else None
            await pipeline.move_lead(lead.id, stage, reason=reason, actor=SERVICE_ACTOR)  # type: ignore[arg-type]

    async def settle(self) -> None:
        deliveries = self.services.deliveries
        while await deliveries.distribute(NAMES):
            pass
        while await deliveries.run_due(partial(deliver, self.services), ["count"]):
            pass
        while await self.services.analytics.refresh():
            pass


@pytest.fixture(scope="module")
async def house(database_url: str, redis_url: str) -> AsyncIterator[House]:
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        master_key=base64.b64encode(bytes(32)).decode(),
        embedder="none",
    )
    clock = FixedClock(NOW)
    async with open_services(settings, clock=clock) as services:
        yield House(services, clock)


async def test_funnel_counts_who_came_this_far_or_further(house: House) -> None:
    await house.lead("widget")
    await house.lead("widget", "lead", "applicant")
    await house.lead("widget", "lead", "applicant", "admitted", "enrolled")
    await house.lead("widget", "lead", "lost")
    await house.lead("referral", "lead")
    await house.settle()
    found = await house.services.analytics.funnel(source="widget", actor=SERVICE_ACTOR)
    assert {s.stage: (s.reached, s.standing) for s in found.items} == {
        "inquiry": (4, 1),
        "lead": (3, 0),
        "applicant": (2, 1),
        "admitted": (1, 0),
        "enrolled": (1, 1),
        "lost": (1, 1),
    }
    assert found.refreshed_at == house.clock.now()
    everybody = await house.services.analytics.funnel(actor=SERVICE_ACTOR)
    assert sum(s.reached for s in everybody.items if s.stage == "inquiry") == 5


async def test_scores_say_what_became_of_leads(house: House) -> None:
    rows = await house.services.analytics.scores(actor=SERVICE_ACTOR)
    assert [(b.band, b.leads, b.enrolled, b.lost) for b in rows.items] == [("unscored", 5, 1, 1)]
    await house.execute(
        "INSERT INTO lead_scores (id, lead_id, score, model, scored_at) "
        "SELECT uuidv7(), id, CASE stage WHEN 'enrolled' THEN 90 ELSE 20 END, 'v1', now() "
        "FROM leads"
    )
    await house.services.analytics.note_everything()
    await house.settle()
    rows = await house.services.analytics.scores(actor=SERVICE_ACTOR)
    assert [(b.band, b.leads, b.enrolled) for b in rows.items] == [("low", 4, 0), ("high", 1, 1)]


async def test_money_is_what_the_ledger_says(house: House) -> None:
    payments = house.services.payments
    invoice = await payments.raise_invoice(
        person_id=await house.person(),
        reference=f"test:{new_id()}",
        net=Money(30_000, "USD"),
        due_dates=[TODAY - timedelta(days=45), TODAY + timedelta(days=15)],
        actor=SERVICE_ACTOR,
    )
    taken = await payments.take_by_hand(
        invoice_id=invoice.id, amount=Money(10_000, "USD"), method="cash", actor=SERVICE_ACTOR
    )
    await payments.request_refund(
        payment_id=taken.id, amount=Money(4_000, "USD"), reason="test", actor=SERVICE_ACTOR
    )
    await house.settle()
    months = await house.services.analytics.revenue(
        since=TODAY.replace(day=1), until=TODAY, actor=SERVICE_ACTOR
    )
    (month,) = months.items
    assert month.month == date(2026, 11, 1)
    assert (month.invoiced, month.taken, month.returned) == (
        Money(30_000, "USD"),
        Money(10_000, "USD"),
        Money(4_000, "USD"),
    )
    owed = await house.services.analytics.receivables(actor=SERVICE_ACTOR)
    assert [(r.age, r.invoices, r.amount.amount_minor) for r in owed.items] == [
        ("to_60", 1, 24_000)
    ]


async def test_what_is_owed_grows_older_by_itself(house: House) -> None:
    house.clock.advance(timedelta(days=40))
    assert await house.services.analytics.refresh() == 1
    owed = await house.services.analytics.receivables(actor=SERVICE_ACTOR)
    assert [r.age for r in owed.items] == ["to_90"]
    assert await house.services.analytics.refresh() == 0


async def test_rebuilding_gives_the_same_numbers(house: House) -> None:
    await house.settle()
    tables = ("funnel", "revenue", "receivables", "scores", "cohorts", "responses")

    async def everything() -> list[object]:
        async with house.database.read() as conn:
            return [
                await (await conn.execute(f"SELECT * FROM analytics_{t} ORDER BY 1, 2")).fetchall()  # type: ignore[call-overload]
                for t in tables
            ]

    before = await everything()
    await house.services.analytics.note_everything()
    await house.settle()
    assert await everything() == before


async def test_looking_whether_anything_is_stale_costs_one_query(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.settle()
    asked: list[object] = []
    execute, transaction = psycopg.AsyncConnection.execute, Database.transaction

    async def noting(conn: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(query)
        return await execute(conn, query, *args, **kwargs)

    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("nothing is stale: no transaction is opened")

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", noting)
    monkeypatch.setattr(Database, "transaction", refused)
    assert await house.services.analytics.refresh() == 0
    assert len(asked) == 1

    monkeypatch.setattr(Database, "transaction", transaction)
    async with house.database.transaction() as uow:
        await stale_store.mark_stale(uow.conn, [Stale("funnel")])
    assert await house.services.analytics.refresh() == 1


async def test_students_see_no_numbers(house: House) -> None:
    with pytest.raises(Denied):
        await house.services.analytics.receivables(actor=Actor(SubjectId(new_id())))
