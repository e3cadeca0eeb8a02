"""Use cases of analytics: note what events make stale, compute it anew, read it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from crm.actor import Actor
from crm.analytics import compute_store, stale_store, store
from crm.analytics.models import (
    MODELS,
    BandConversion,
    CohortFill,
    FunnelStep,
    Model,
    Receivable,
    ResponseTimes,
    Revenue,
    Stale,
    stale_by,
)
from crm.clock import day_in
from crm.db import Database, UnitOfWork
from crm.identity.permissions import Area, require
from crm.journal.deliveries.models import StoredEvent
from crm.money import Money
from crm.paging import Page, decode_cursor, encode_cursor, page_of

T = TypeVar("T")

#: Parts of a model that one transaction computes.
_PARTS = 200


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What a read model says.

    Args:
        refreshed_at: when it was last computed; None never.
    """

    items: tuple[T, ...]
    refreshed_at: datetime | None


class AnalyticsService:
    """The institution's numbers.

    Args:
        time_zone: of the institution, whose days and months are counted.
    """

    def __init__(self, database: Database, *, time_zone: str) -> None:
        self._db = database
        self._zone = ZoneInfo(time_zone)

    async def note(self, event: StoredEvent) -> None:
        """Note what an event makes stale; noting it again changes nothing."""
        parts = stale_by(event, self._zone)
        async with self._db.transaction() as uow:
            await stale_store.mark_stale(uow.conn, parts)

    async def note_everything(self) -> None:
        """Ask for everything to be computed anew, e.g. after data came without events."""
        async with self._db.transaction() as uow:
            await stale_store.mark_everything(uow.conn, time_zone=self._zone.key)

    async def refresh(self) -> int:
        """Compute what is stale, a model a transaction; returns how many parts there were."""
        async with self._db.read() as conn:
            stale = await stale_store.select_stale(
                conn, at=self._db.clock.now(), time_zone=self._zone.key
            )
        return sum([await self._refresh(model) for model in MODELS if model in stale])

    async def _refresh(self, model: Model) -> int:
        async with self._db.transaction() as uow:
            if model == "receivables" and await self._is_from_yesterday(uow):
                await stale_store.mark_stale(uow.conn, [Stale("receivables")])
            keys = await stale_store.take_stale(uow.conn, model, limit=_PARTS)
            if keys:
                await self._compute(uow, model, keys)
                await stale_store.note_refresh(uow.conn, model, at=uow.clock.now())
        return len(keys)

    async def _is_from_yesterday(self, uow: UnitOfWork) -> bool:
        """Return whether what is owed has grown older since it was looked at."""
        last = await stale_store.select_refresh(uow.conn, "receivables")
        return last is not None and day_in(self._zone, last) < self._today(uow)

    def _today(self, uow: UnitOfWork) -> date:
        return day_in(self._zone, uow.clock.now())

    async def _compute(self, uow: UnitOfWork, model: Model, keys: Sequence[str]) -> None:
        conn, zone = uow.conn, self._zone.key
        work: Mapping[Model, Callable[[], Awaitable[None]]] = {
            "funnel": lambda: compute_store.compute_funnel(conn),
            "responses": lambda: compute_store.compute_responses(conn, keys, time_zone=zone),
            "revenue": lambda: compute_store.compute_revenue(conn, keys, time_zone=zone),
            "receivables": lambda: compute_store.compute_receivables(conn, today=self._today(uow)),
            "cohorts": lambda: compute_store.compute_cohorts(conn, keys, at=uow.clock.now()),
            "scores": lambda: compute_store.compute_scores(conn),
        }
        await work[model]()

    # --- reading --------------------------------------------------------------------------------

    async def funnel(
        self,
        *,
        source: str | None = None,
        programme_code: str | None = None,
        term: str | None = None,
        actor: Actor,
    ) -> Reading[FunnelStep]:
        """Return how far leads came. Raises: Denied("auth.role")."""
        require(actor, Area.ANALYTICS)
        async with self._db.read() as conn:
            rows = await store.select_funnel(
                conn, source=source, programme_code=programme_code, term=term
            )
            at = await stale_store.select_refresh(conn, "funnel")
        return Reading(tuple(FunnelStep(**row) for row in rows), at)

    async def responses(self, *, since: date, until: date, actor: Actor) -> Reading[ResponseTimes]:
        """Return how long people waited, day by day. Raises: Denied("auth.role")."""
        require(actor, Area.ANALYTICS)
        async with self._db.read() as conn:
            rows = await store.select_responses(conn, since=since, until=until)
            at = await stale_store.select_refresh(conn, "responses")
        return Reading(tuple(ResponseTimes(**row) for row in rows), at)

    async def revenue(self, *, since: date, until: date, actor: Actor) -> Reading[Revenue]:
        """Return what months brought. Raises: Denied("auth.role")."""
        require(actor, Area.ANALYTICS)
        async with self._db.read() as conn:
            rows = await store.select_revenue(conn, since=since, until=until)
            at = await stale_store.select_refresh(conn, "revenue")
        return Reading(
            tuple(
                Revenue(
                    row["month"],
                    Money(row["invoiced_minor"], row["currency"]),
                    Money(row["taken_minor"], row["currency"]),
                    Money(row["returned_minor"], row["currency"]),
                )
                for row in rows
            ),
            at,
        )

    async def receivables(self, *, actor: Actor) -> Reading[Receivable]:
        """Return what is owed, by age. Raises: Denied("auth.role")."""
        require(actor, Area.ANALYTICS)
        async with self._db.read() as conn:
            rows = await store.select_receivables(conn)
            at = await stale_store.select_refresh(conn, "receivables")
        return Reading(
            tuple(
                Receivable(row["age"], row["invoices"], Money(row["amount_minor"], row["currency"]))
                for row in rows
            ),
            at,
        )

    async def cohorts(self, *, cursor: str | None, limit: int, actor: Actor) -> Page[CohortFill]:
        """Return how full cohorts are, the latest start first.

        Raises: Denied("auth.role"); RuleBroken("page.cursor").
        """
        require(actor, Area.ANALYTICS)
        after = decode_cursor(cursor, date.fromisoformat, UUID)
        async with self._db.read() as conn:
            rows = await store.select_cohorts(conn, after=after, limit=limit + 1)
        fills = [CohortFill(**row) for row in rows]
        return page_of(fills, limit, lambda f: encode_cursor(str(f.starts_on), f.cohort_id))

    async def scores(self, *, actor: Actor) -> Reading[BandConversion]:
        """Return what became of leads, by band of score. Raises: Denied("auth.role")."""
        require(actor, Area.ANALYTICS)
        async with self._db.read() as conn:
            rows = await store.select_scores(conn)
            at = await stale_store.select_refresh(conn, "scores")
        return Reading(tuple(BandConversion(**row) for row in rows), at)
