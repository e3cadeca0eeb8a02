"""Use cases of whoever looks around in the catalogue."""

import re
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

from crm.clock import day_in
from crm.courses import store as catalogue
from crm.courses.models import CourseRef
from crm.courses.offers import store
from crm.courses.offers.models import Offer, OfferFilters, OfferPage, OfferSort
from crm.courses.titles import folded
from crm.db import Connection, Database
from crm.paging import decode_cursor, encode_cursor

_ENOUGH_CHARS = 3
_WORDS = 8
_WORD = re.compile(r"[\w+#]+")


class OfferService:
    """Shows what is offered; only active courses, whoever asks.

    Args:
        time_zone: the institution's; it decides which day it is when enrolment closes.
    """

    def __init__(self, database: Database, *, time_zone: str = "UTC") -> None:
        self._db = database
        self._zone = ZoneInfo(time_zone)

    async def search(
        self,
        filters: OfferFilters,
        *,
        sort: OfferSort = "relevance",
        cursor: str | None = None,
        limit: int = 20,
    ) -> OfferPage:
        """Return a page of what fits, with counts over all that fits.

        Raises: RuleBroken("page.cursor").
        """
        now = self._db.clock.now()
        async with self._db.read() as conn:
            found = await store.select_offers(
                conn,
                filters,
                sort=sort,
                after=decode_cursor(cursor, int, str),
                limit=limit + 1,
                today=day_in(self._zone, now),
                at=now,
            )
            rows = found.rows[:limit]
            courses = await catalogue.select_courses(conn, [r.code for r in rows])
            groups = await store.select_groups(
                conn, [r.cohort_id for r in rows if r.cohort_id], at=now
            )
        by_id = {str(i): group for i, group in groups.items()}
        more = encode_cursor(rows[-1].key, rows[-1].code) if len(found.rows) > limit else None
        items = []
        for row in rows:
            course, group = courses[row.code], by_id.get(str(row.cohort_id))
            price = group.price if group else course.price
            items.append(Offer(course=course, cohort=group, price=price, cohorts=row.cohorts))
        return OfferPage(tuple(items), found.total, found.facets, more)

    async def fitting_codes(self, filters: OfferFilters) -> frozenset[str]:
        """Return the codes of all courses that fit."""
        now = self._db.clock.now()
        async with self._db.read() as conn:
            return frozenset(
                await store.select_codes(conn, filters, today=day_in(self._zone, now), at=now)
            )

    async def suggest(self, typed: str, *, limit: int = 8) -> tuple[CourseRef, ...]:
        """Return courses whose titles may be meant while somebody is still typing.

        Titles that begin so come first, then those that hold all the words, then those that nearly
        do: accents and typos are forgiven, and either language will do.
        """
        text = " ".join(folded(typed).split())
        if not text:
            return ()
        async with self._db.read() as conn:
            found = {r.code: r for r in await store.complete_titles(conn, text, limit=limit)}
            words = [w for w in _WORD.findall(text) if len(w) >= _ENOUGH_CHARS][:_WORDS]
            async for guess in self._guesses(conn, words):
                if len(found) >= limit:
                    break
                for ref in await store.hold_words(conn, guess, limit=limit):
                    found.setdefault(ref.code, ref)
        return tuple(found.values())[:limit]

    async def _guesses(self, conn: Connection, words: list[str]) -> AsyncIterator[list[str]]:
        """Yield what titles may hold: the words, what they may have meant, the longest of those."""
        if not words:
            return
        yield words
        meant = await store.correct_words(conn, words)
        corrected = [meant.get(word, word) for word in words]
        if corrected != words:
            yield corrected
        if len(words) > 1:
            yield [max(corrected, key=len)]
