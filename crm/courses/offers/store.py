"""All the SQL of looking around: one result, its page and its counts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from crm.courses.cohort_store import select_locked
from crm.courses.models import Cohort, CohortId, CourseRef
from crm.courses.offers.models import (
    FacetCount,
    Facets,
    OfferFilters,
    OfferSort,
    PriceBand,
)
from crm.courses.store import ref_of
from crm.db import Connection

#: In minor units: steps that people think in, whatever the currency.
_BANDS = (10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 10_000_000)

# Taken seats are counted only where they may decide: of the soonest group that is open and to come,
# and of the later ones where that is full.
_SEATS = """
        SELECT r.*, r.seats - e.taken - coalesce(h.held, 0) > 0 AS free
        FROM ranked r LEFT JOIN held h ON h.cohort_id = r.id, LATERAL (
            SELECT count(*) AS taken FROM enrolments
            WHERE cohort_id = r.id AND status IN ('confirmed', 'completed')
        ) AS e"""
_RESULT = f"""
    WITH fitting AS MATERIALIZED (
        SELECT code, area, level, language, price_minor, currency FROM courses
        WHERE active {{course_filters}}),
    groups AS MATERIALIZED (
        SELECT g.id, g.course_code, g.modality, g.starts_on, g.price_minor, g.currency,
               g.seats - g.blocked_seats AS seats
        FROM fitting f JOIN cohorts g ON g.course_code = f.code
        WHERE g.status = 'open' AND g.starts_on >= %(today)s AND g.enrolment_closes >= %(today)s
            {{group_filters}}),
    ranked AS MATERIALIZED (
        SELECT *, row_number() OVER (PARTITION BY course_code ORDER BY starts_on, id) AS place,
               count(*) OVER (PARTITION BY course_code) AS cohorts
        FROM groups),
    held AS (
        SELECT cohort_id, count(*) AS held FROM seat_holds
        WHERE status = 'live' AND expires_at > %(at)s GROUP BY cohort_id),
    soonest AS MATERIALIZED ({_SEATS} WHERE r.place = 1),
    later AS MATERIALIZED ({_SEATS}
        WHERE r.place > 1 AND r.course_code IN (SELECT course_code FROM soonest WHERE NOT free)),
    best AS (
        SELECT DISTINCT ON (course_code) *
        FROM (SELECT * FROM soonest UNION ALL SELECT * FROM later) s
        ORDER BY course_code, free DESC, starts_on, id),
    result AS MATERIALIZED (
        SELECT f.code, f.area, f.level, f.language, b.id AS cohort_id, b.starts_on,
               coalesce(b.price_minor, f.price_minor) AS price_minor,
               coalesce(b.currency, f.currency) AS currency,
               coalesce(b.cohorts, 0) AS cohorts,
               CASE WHEN b.free THEN 'free' WHEN b.id IS NULL THEN 'none' ELSE 'full' END AS seats
        FROM fitting f LEFT JOIN best b ON b.course_code = f.code
        WHERE true {{result_filters}})
"""  # noqa: S608 (constants)
#: Amounts of other currencies cannot be compared: without one, the one of most courses is meant.
_AFFORDABLE = """
    coalesce(b.price_minor, f.price_minor) <= %(price_max)s
    AND coalesce(b.currency, f.currency) = coalesce(%(currency)s, (
        SELECT currency FROM courses WHERE active
        GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1))"""
_COURSE_FILTERS = {
    "codes": "code = ANY(%(codes)s)",
    "area": "area = %(area)s",
    "level": "level = %(level)s",
    "language": "language = %(language)s",
}
_GROUP_FILTERS = {
    "modality": "g.modality = %(modality)s",
    "start_from": "g.starts_on >= %(start_from)s",
    "start_to": "g.starts_on <= %(start_to)s",
}
_SORTS: dict[OfferSort, str] = {
    "relevance": "coalesce(array_position(%(codes)s::text[], code), 0)",
    "start": "coalesce(starts_on - date '2000-01-01', 2000000)",
    "price": "price_minor",
}


@dataclass(frozen=True, slots=True)
class OfferRow:
    """A line of a result.

    Args:
        key: its place in the order; ties are broken by the code.
    """

    code: str
    cohort_id: UUID | None
    cohorts: int
    key: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a result and the counts over all of it."""

    rows: list[OfferRow]
    total: int
    facets: Facets


async def select_offers(
    conn: Connection,
    filters: OfferFilters,
    *,
    sort: OfferSort,
    after: tuple[int, str] | None,
    limit: int,
    today: date,
    at: datetime,
) -> Found:
    """Return a page of the courses that fit, and counts over all of them.

    Args:
        after: key and code of the last one seen.
        at: holds that end by then are none.
    """
    values = {
        **_values(filters, today=today, at=at),
        "limit": limit,
        "after_key": after[0] if after else -1,
        "after_code": after[1] if after else "",
        "bands": list(_BANDS),
    }
    rows = await conn.execute(f"{_result(filters)} {_page_and_counts(sort)}", values)
    row = await rows.fetchone()
    return _found_of(row or {})


async def select_codes(
    conn: Connection, filters: OfferFilters, *, today: date, at: datetime
) -> list[str]:
    """Return the codes of all courses that fit."""
    rows = await conn.execute(
        f"{_result(filters)} SELECT code FROM result",  # noqa: S608 (constant conditions)
        _values(filters, today=today, at=at),
    )
    return [r["code"] for r in await rows.fetchall()]


def _values(filters: OfferFilters, *, today: date, at: datetime) -> dict[str, Any]:
    codes = None if filters.codes is None else list(filters.codes)
    return {**asdict(filters), "codes": codes, "today": today, "at": at}


def _result(filters: OfferFilters) -> str:
    given = {name for name, value in asdict(filters).items() if value is not None}
    last = []
    if given & _GROUP_FILTERS.keys():
        last.append("b.id IS NOT NULL")
    if filters.price_max is not None:
        last.append(_AFFORDABLE)
    if filters.with_seats is not None:
        last.append("coalesce(b.free, false) = %(with_seats)s")
    return _RESULT.format(
        course_filters=_and(c for name, c in _COURSE_FILTERS.items() if name in given),
        group_filters=_and(c for name, c in _GROUP_FILTERS.items() if name in given),
        result_filters=_and(last),
    )


def _and(conditions: Any) -> str:
    return "".join(f" AND {condition}" for condition in conditions)


def _page_and_counts(sort: OfferSort) -> str:
    plain = ", ".join(
        f"(SELECT coalesce(json_agg(t), '[]') FROM (SELECT {name} AS value, count(*) AS count "  # noqa: S608
        f"FROM result GROUP BY {name} ORDER BY {name}) t) AS {name}"
        for name in ("area", "level", "language", "seats")
    )
    return f"""
        SELECT (SELECT count(*) FROM result) AS total, {plain},
            (SELECT coalesce(json_agg(t), '[]') FROM (
                SELECT modality AS value, count(*) AS count
                FROM (SELECT DISTINCT course_code, modality FROM groups) g
                JOIN result r ON r.code = g.course_code
                GROUP BY 1 ORDER BY 1) t) AS modality,
            (SELECT coalesce(json_agg(t), '[]') FROM (
                SELECT to_char(month, 'YYYY-MM') AS value, count(*) AS count
                FROM (SELECT DISTINCT course_code,
                          starts_on - extract(day FROM starts_on)::integer + 1 AS month
                      FROM groups) g
                JOIN result r ON r.code = g.course_code
                GROUP BY month ORDER BY month) t) AS start_month,
            (SELECT coalesce(json_agg(t), '[]') FROM (
                SELECT width_bucket(price_minor, %(bands)s::bigint[]) AS band, currency,
                       count(*) AS count
                FROM result GROUP BY 1, 2 ORDER BY 2, 1) t) AS price,
            (SELECT coalesce(json_agg(t), '[]') FROM (
                SELECT * FROM (
                    SELECT code, cohort_id, cohorts, {_SORTS[sort]} AS key FROM result) k
                WHERE (key, code) > (%(after_key)s, %(after_code)s)
                ORDER BY key, code LIMIT %(limit)s) t) AS page
    """  # noqa: S608


def _found_of(row: Mapping[str, Any]) -> Found:
    counts = {
        name: tuple(FacetCount(c["value"], c["count"]) for c in row[name])
        for name in ("area", "level", "language", "modality", "start_month", "seats")
    }
    bounds = (0, *_BANDS, None)
    bands = tuple(
        PriceBand(bounds[b["band"]] or 0, bounds[b["band"] + 1], b["currency"], b["count"])
        for b in row["price"]
    )
    page = [
        OfferRow(
            r["code"], UUID(r["cohort_id"]) if r["cohort_id"] else None, r["cohorts"], r["key"]
        )
        for r in row["page"]
    ]
    return Found(page, row["total"], Facets(**counts, price=bands))


async def select_groups(
    conn: Connection, ids: list[UUID], *, at: datetime
) -> dict[CohortId, Cohort]:
    """Return the groups of a page."""
    return await select_locked(conn, [CohortId(i) for i in ids], at=at)


_TITLES = "fold(title_es || ' ' || title_en)"


async def complete_titles(conn: Connection, typed: str, *, limit: int) -> list[CourseRef]:
    """Return active courses by a title that begins so, in either language.

    Args:
        typed: folded.
    """
    pattern = f"{_literal(typed)}%"
    rows = await conn.execute(
        """
        SELECT code, title_es, title_en FROM (
            (SELECT * FROM courses WHERE active AND fold(title_es) LIKE %(pattern)s
             ORDER BY fold(title_es) USING ~<~ LIMIT %(limit)s)
            UNION
            (SELECT * FROM courses WHERE active AND fold(title_en) LIKE %(pattern)s
             ORDER BY fold(title_en) USING ~<~ LIMIT %(limit)s)
            UNION
            (SELECT * FROM courses WHERE active AND lower(code) LIKE %(pattern)s
             ORDER BY lower(code) USING ~<~ LIMIT %(limit)s)
        ) AS c ORDER BY length(title_es), code LIMIT %(limit)s
        """,
        {"pattern": pattern, "limit": limit},
    )
    return [ref_of(r) for r in await rows.fetchall()]


async def hold_words(conn: Connection, words: list[str], *, limit: int) -> list[CourseRef]:
    """Return active courses whose titles hold all these words or beginnings of them.

    Args:
        words: folded, at least one.
    """
    held = " AND ".join(f"{_TITLES} LIKE %(word{i})s" for i in range(len(words)))
    rows = await conn.execute(
        f"SELECT code, title_es, title_en FROM courses WHERE active AND {held} "  # noqa: S608
        "ORDER BY length(title_es), code LIMIT %(limit)s",
        {"limit": limit, **{f"word{i}": f"%{_literal(w)}%" for i, w in enumerate(words)}},
    )
    return [ref_of(r) for r in await rows.fetchall()]


async def correct_words(conn: Connection, words: list[str]) -> dict[str, str]:
    """Return the word of any title that is most like each of these; none is near enough to some.

    Args:
        words: folded.
    """
    rows = await conn.execute(
        """
        SELECT typed, meant FROM unnest(%s::text[]) AS typed CROSS JOIN LATERAL (
            SELECT word AS meant FROM title_words WHERE word %% typed
            ORDER BY similarity(word, typed) DESC, word LIMIT 1
        ) AS nearest
        """,
        [words],
    )
    return {r["typed"]: r["meant"] for r in await rows.fetchall()}


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
