"""Use cases of the catalogue: look courses and cohorts up, and change them as staff."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from crm.clock import day_in
from crm.courses import cohort_store, rules, store
from crm.courses.models import (
    Area,
    Cohort,
    Course,
    CourseDetail,
    CourseLevel,
    CourseRef,
    Discount,
    Locale,
    Modality,
    Programme,
    Scholarship,
)
from crm.courses.seats.models import DEFAULT_POLICY, SeatPolicy
from crm.courses.titles import title_words
from crm.courses.writing import CourseWriting
from crm.db import Database
from crm.errors import NotFound
from crm.paging import Page, decode_cursor, encode_cursor, page_of

_INDEX_PAGE = 100


class CourseService(CourseWriting):
    """Reads and, as staff, writes the catalogue.

    Args:
        time_zone: the institution's; it decides which day it is when enrolment closes.
        offer_life: how long a seat that a change frees is offered to one who waits.
    """

    def __init__(
        self,
        database: Database,
        *,
        time_zone: str = "UTC",
        offer_life: timedelta = DEFAULT_POLICY.offer_life,
    ) -> None:
        super().__init__(database, SeatPolicy(offer_life=offer_life, time_zone=time_zone))
        self._zone = ZoneInfo(time_zone)

    def today(self) -> date:
        """Return the day it is at the institution."""
        return day_in(self._zone, self._db.clock.now())

    # --- courses --------------------------------------------------------------------------------

    async def get_course(self, code: str) -> CourseDetail:
        """Return a course with its prerequisites and the cohorts to come.

        Raises: NotFound("course.unknown").
        """
        found = await self.find_courses([code])
        if not found:
            raise NotFound("course.unknown", "There is no such course.")
        return found[0]

    async def find_courses(self, codes: Sequence[str]) -> tuple[CourseDetail, ...]:
        """Return the courses there are of those named, in the order given."""
        wanted = list(dict.fromkeys(code.upper() for code in codes))
        async with self._db.read() as conn:
            courses = await store.select_courses(conn, wanted)
            before = await store.select_prerequisites(conn, wanted)
            cohorts = await cohort_store.select_upcoming(
                conn, wanted, today=self.today(), at=self._db.clock.now()
            )
        return tuple(
            CourseDetail(courses[code], before.get(code, ()), cohorts.get(code, ()))
            for code in wanted
            if code in courses
        )

    async def match_titles(self, text: str, limit: int = 5) -> tuple[CourseRef, ...]:
        """Return the courses a text seems to name, by title or code, the likeliest first.

        Typos and missing accents are forgiven; words that fit any course are passed over.
        """
        words = title_words(text)
        if not words:
            return ()
        async with self._db.read() as conn:
            return tuple(await store.match_titles(conn, words, limit=limit))

    async def list_courses(
        self,
        *,
        area: str | None = None,
        level: CourseLevel | None = None,
        language: Locale | None = None,
        active: bool | None = True,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Course]:
        """Return courses by code; `active=None` includes the withdrawn ones."""
        after = decode_cursor(cursor, str)
        filters = {"area": area, "level": level, "language": language, "active": active}
        async with self._db.read() as conn:
            rows = await store.select_course_page(
                conn, dict(filters), after=after[0] if after else None, limit=limit + 1
            )
        return page_of(rows, limit, lambda c: encode_cursor(c.code))

    async def active_courses_for_index(self) -> AsyncIterator[Course]:
        """Yield every course a search may find, by code, reading a page at a time."""
        cursor: str | None = None
        while True:
            page = await self.list_courses(cursor=cursor, limit=_INDEX_PAGE)
            for course in page.items:
                yield course
            cursor = page.next_cursor
            if cursor is None:
                return

    # --- cohorts --------------------------------------------------------------------------------

    async def list_cohorts(
        self,
        *,
        course_code: str | None = None,
        open_only: bool = False,
        modality: Modality | None = None,
        starts_after: date | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Cohort]:
        """Return cohorts by their start; `open_only` leaves those one may enrol in today."""
        filters = {
            "course_code": course_code,
            "open_only": open_only,
            "modality": modality,
            "starts_after": starts_after,
        }
        after = decode_cursor(cursor, date.fromisoformat, UUID)
        async with self._db.read() as conn:
            rows = await cohort_store.select_cohorts(
                conn,
                filters,
                today=self.today(),
                at=self._db.clock.now(),
                after=after,
                limit=limit + 1,
            )
        return page_of(rows, limit, lambda c: encode_cursor(_start_of(c), c.id))

    async def get_cohort(self, code_or_id: str | UUID) -> Cohort:
        """Return a cohort by its code or id.

        Raises: NotFound("cohort.unknown").
        """
        async with self._db.read() as conn:
            cohort = await cohort_store.select_cohort(conn, code_or_id, at=self._db.clock.now())
        if cohort is None:
            raise NotFound("cohort.unknown", "There is no such cohort.")
        return cohort

    async def upcoming_cohorts(self, course_code: str) -> tuple[Cohort, ...]:
        """Return the cohorts of a course one may enrol in today, soonest first."""
        today = self.today()
        async with self._db.read() as conn:
            found = await cohort_store.select_upcoming(
                conn, [course_code], today=today, at=self._db.clock.now()
            )
        cohorts = found.get(course_code, ())
        return tuple(c for c in cohorts if rules.is_enrollable(c, today))

    # --- programmes, areas, scholarships, discounts ---------------------------------------------

    async def list_programmes(
        self, *, area: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[Programme]:
        """Return active programmes by code."""
        after = decode_cursor(cursor, str)
        async with self._db.read() as conn:
            rows = await store.select_programmes(
                conn, area=area, after=after[0] if after else "", limit=limit + 1
            )
        return page_of(rows, limit, lambda p: encode_cursor(p.code))

    async def get_programme(self, code: str) -> Programme:
        """Return a programme.

        Raises: NotFound("programme.unknown").
        """
        async with self._db.read() as conn:
            programme = await store.select_programme(conn, code)
        if programme is None:
            raise NotFound("programme.unknown", "There is no such programme.")
        return programme

    async def list_areas(self) -> tuple[Area, ...]:
        """Return the fields of study."""
        async with self._db.read() as conn:
            return tuple(await store.select_areas(conn))

    async def list_scholarships(self) -> tuple[Scholarship, ...]:
        """Return the scholarships."""
        async with self._db.read() as conn:
            return tuple(await store.select_scholarships(conn))

    async def list_discounts(self) -> tuple[Discount, ...]:
        """Return the discounts."""
        async with self._db.read() as conn:
            return tuple(await store.select_discounts(conn))


def _start_of(cohort: Cohort) -> str:
    return cohort.starts_on.isoformat()
