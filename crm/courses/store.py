"""All the SQL of courses, prerequisites and the institution's small tables."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow

from crm.courses.models import (
    Area,
    Bilingual,
    BilingualLines,
    Course,
    CourseContent,
    CourseRef,
    Discount,
    Programme,
    Scholarship,
)
from crm.db import Connection
from crm.money import Money

# --- courses ------------------------------------------------------------------------------------


async def select_courses(conn: Connection, codes: Sequence[str]) -> dict[str, Course]:
    """Return the courses there are of those named, by code."""
    rows = await conn.execute("SELECT * FROM courses WHERE code = ANY(%s)", [list(codes)])
    return {r["code"]: course_of(r) for r in await rows.fetchall()}


async def select_course_page(
    conn: Connection, filters: dict[str, object], *, after: str | None, limit: int
) -> list[Course]:
    """Return courses by code.

    Args:
        filters: any of `area`, `level`, `language`, `active`; None is no filter.
        after: the code of the last one seen.
    """
    given = {k: v for k, v in filters.items() if v is not None}
    clauses = [f"{name} = %({name})s" for name in given] + ["code > %(after)s"]
    rows = await conn.execute(
        f"SELECT * FROM courses WHERE {' AND '.join(clauses)} "  # noqa: S608 (constant names)
        "ORDER BY code LIMIT %(limit)s",
        {**given, "after": after or "", "limit": limit},
    )
    return [course_of(r) for r in await rows.fetchall()]


async def match_titles(conn: Connection, words: Sequence[str], *, limit: int) -> list[CourseRef]:
    """Return active courses whose title or code has these words or nearly, the best first.

    Short words must be there exactly: every second title has some "ia" or "sql" within a word.
    """
    rows = await conn.execute(
        """
        SELECT code, title_es, title_en FROM (
            SELECT *, fold(title_es || ' ' || title_en) AS title FROM courses
            WHERE active AND (fold(title_es || ' ' || title_en) %%> ANY(%(words)s)
                OR lower(code) = ANY(%(words)s))
        ) AS c, LATERAL (
            SELECT sum(CASE
                WHEN lower(c.code) = w THEN 9
                WHEN length(w) <= 3 THEN floor(strict_word_similarity(w, title))
                WHEN word_similarity(w, title) >= 0.6 THEN strict_word_similarity(w, title)
            END) AS score FROM unnest(%(words)s) AS w
        ) AS s
        WHERE score > 0
        ORDER BY score DESC, similarity(array_to_string(%(words)s, ' '), title) DESC, code
        LIMIT %(limit)s
        """,
        {"words": list(words), "limit": limit},
    )
    return [ref_of(r) for r in await rows.fetchall()]


async def upsert_course(conn: Connection, content: CourseContent, *, at: datetime) -> Course:
    """Write a course, new or not."""
    row = course_row(content, at=at)
    names = ", ".join(row)
    changes = ", ".join(f"{name} = excluded.{name}" for name in row if name != "code")
    rows = await conn.execute(
        f"INSERT INTO courses ({names}) VALUES ({', '.join(f'%({n})s' for n in row)}) "  # noqa: S608
        f"ON CONFLICT (code) DO UPDATE SET {changes} RETURNING *",
        row,
    )
    return course_of(await _one(rows))


def course_row(content: CourseContent, *, at: datetime) -> dict[str, Any]:
    """Return a course as the columns of its row."""
    return {
        "code": content.code,
        "area": content.area,
        "level": content.level,
        "language": content.language,
        "title_es": content.title.es,
        "title_en": content.title.en,
        "summary_es": content.summary.es,
        "summary_en": content.summary.en,
        "outcomes_es": list(content.outcomes.es),
        "outcomes_en": list(content.outcomes.en),
        "keywords": list(content.keywords),
        "hours": content.hours,
        "weeks": content.weeks,
        "hours_per_week": content.hours_per_week,
        "price_minor": content.price.amount_minor,
        "currency": content.price.currency,
        "certificate": content.certificate,
        "active": content.active,
        "updated_at": at,
    }


def course_of(row: DictRow) -> Course:
    """Return the course of a row."""
    return Course(
        code=row["code"],
        area=row["area"],
        level=row["level"],
        language=row["language"],
        title=_bilingual(row, "title"),
        summary=_bilingual(row, "summary"),
        outcomes=BilingualLines(tuple(row["outcomes_es"]), tuple(row["outcomes_en"])),
        keywords=tuple(row["keywords"]),
        hours=row["hours"],
        weeks=row["weeks"],
        hours_per_week=row["hours_per_week"],
        price=Money(row["price_minor"], row["currency"]),
        certificate=row["certificate"],
        active=row["active"],
        updated_at=row["updated_at"],
    )


def ref_of(row: DictRow) -> CourseRef:
    """Return the name of the course in a row."""
    return CourseRef(row["code"], _bilingual(row, "title"))


# --- prerequisites ------------------------------------------------------------------------------


async def select_prerequisites(
    conn: Connection, codes: Sequence[str]
) -> dict[str, tuple[CourseRef, ...]]:
    """Return what must come directly before each of these courses, by code."""
    rows = await conn.execute(
        """
        SELECT p.course_code, c.code, c.title_es, c.title_en
        FROM course_prerequisites p JOIN courses c ON c.code = p.prerequisite_code
        WHERE p.course_code = ANY(%s) ORDER BY p.course_code, c.code
        """,
        [list(codes)],
    )
    found: dict[str, tuple[CourseRef, ...]] = {}
    for row in await rows.fetchall():
        found[row["course_code"]] = (*found.get(row["course_code"], ()), ref_of(row))
    return found


async def lock_prerequisites(conn: Connection) -> None:
    """Keep other writers of the graph waiting until this transaction ends.

    Two writers could each add an edge that is harmless alone and closes a circle with the other's.
    """
    await conn.execute("LOCK TABLE course_prerequisites IN SHARE ROW EXCLUSIVE MODE")


async def select_graph(conn: Connection) -> dict[str, list[str]]:
    """Return the whole graph: course code → codes that must come directly before it."""
    rows = await conn.execute(
        "SELECT course_code, array_agg(prerequisite_code ORDER BY prerequisite_code) AS before "
        "FROM course_prerequisites GROUP BY course_code"
    )
    return {r["course_code"]: r["before"] for r in await rows.fetchall()}


async def replace_prerequisites(conn: Connection, course_code: str, codes: Sequence[str]) -> None:
    """Set what must come directly before a course."""
    await conn.execute(
        "DELETE FROM course_prerequisites WHERE course_code = %s AND prerequisite_code <> ALL(%s)",
        [course_code, list(codes)],
    )
    await conn.execute(
        "INSERT INTO course_prerequisites (course_code, prerequisite_code) "
        "SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING",
        [course_code, list(codes)],
    )


# --- areas, programmes, scholarships, discounts -------------------------------------------------


async def select_areas(conn: Connection) -> list[Area]:
    """Return the areas by code."""
    rows = await conn.execute("SELECT * FROM areas ORDER BY code")
    return [Area(r["code"], _bilingual(r, "name")) for r in await rows.fetchall()]


async def select_programmes(
    conn: Connection, *, area: str | None, after: str, limit: int
) -> list[Programme]:
    """Return active programmes by code."""
    rows = await conn.execute(
        _PROGRAMME + "WHERE p.active AND p.code > %(after)s "
        "AND (%(area)s::text IS NULL OR p.area = %(area)s) ORDER BY p.code LIMIT %(limit)s",
        {"area": area, "after": after, "limit": limit},
    )
    return [_programme_of(r) for r in await rows.fetchall()]


async def select_programme(conn: Connection, code: str) -> Programme | None:
    """Return a programme."""
    rows = await conn.execute(_PROGRAMME + "WHERE p.code = %s", [code])
    row = await rows.fetchone()
    return _programme_of(row) if row else None


_PROGRAMME = """
    SELECT p.*, ARRAY(
        SELECT course_code FROM programme_courses
        WHERE programme_code = p.code ORDER BY position
    ) AS course_codes FROM programmes p
"""


def _programme_of(row: DictRow) -> Programme:
    return Programme(
        code=row["code"],
        area=row["area"],
        level=row["level"],
        title=_bilingual(row, "title"),
        summary=_bilingual(row, "summary"),
        admission=_bilingual(row, "admission"),
        duration_months=row["duration_months"],
        credits=row["credits"],
        fee=Money(row["fee_minor"], row["currency"]),
        active=row["active"],
        course_codes=tuple(row["course_codes"]),
    )


async def select_scholarships(conn: Connection) -> list[Scholarship]:
    """Return the scholarships by code."""
    rows = await conn.execute("SELECT * FROM scholarships ORDER BY code")
    return [
        Scholarship(
            code=r["code"],
            name=_bilingual(r, "name"),
            description=_bilingual(r, "description"),
            eligibility=_bilingual(r, "eligibility"),
            deadline=_bilingual(r, "deadline"),
            percent=r["percent"],
            cap=Money(r["cap_minor"], r["currency"]),
            fund=Money(r["fund_minor"], r["currency"]),
        )
        for r in await rows.fetchall()
    ]


async def select_discounts(conn: Connection) -> list[Discount]:
    """Return the discounts by code."""
    rows = await conn.execute("SELECT * FROM discounts ORDER BY code")
    return [
        Discount(
            code=r["code"],
            name=_bilingual(r, "name"),
            description=_bilingual(r, "description"),
            percent=r["percent"],
            cap=Money(r["cap_minor"], r["currency"]),
        )
        for r in await rows.fetchall()
    ]


def _bilingual(row: DictRow, column: str) -> Bilingual:
    return Bilingual(row[f"{column}_es"], row[f"{column}_en"])


async def _one(rows: Any) -> DictRow:
    row: DictRow = await rows.fetchone()
    return row
