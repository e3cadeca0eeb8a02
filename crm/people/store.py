"""All the SQL of people and consents."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from psycopg import sql
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from crm.db import Connection
from crm.errors import Conflict
from crm.facts import facts_of
from crm.ids import PersonId
from crm.people.models import Consent, EnrolmentSummary, Person, PersonStatus

_COLUMNS = (
    "id, full_name, email, phone, locale, time_zone, birth_date, guardian_id, status, "
    "merged_into, version, created_at, updated_at"
)
_WORDS = "search @@ plainto_tsquery('simple', fold(%(query)s))"
#: An address is found only as a whole.
_EXACT = f"{_WORDS} OR email = %(email)s OR phone = %(phone)s"
#: Comparing spellings costs 50 ms among 100,000 people: when so many have the very words, those
#: who are only spelled nearly so are not looked for.
_ENOUGH = 50
_RANK = "(CASE WHEN email = %(email)s OR phone = %(phone)s THEN 2000 ELSE {likeness} END)"
_LIKENESS = "(1000 * word_similarity(fold(%(query)s), folded_name))::int"
#: Of everybody who has the one word that is looked for.
_ALIKE = "1000"


async def insert_person(conn: Connection, person: Person) -> None:
    """Add a person.

    Raises: Conflict("person.email_taken"), Conflict("person.phone_taken").
    """
    names = [name.strip() for name in _COLUMNS.split(",")]
    try:
        await conn.execute(
            f"INSERT INTO people ({_COLUMNS}) VALUES ({', '.join(f'%({n})s' for n in names)})",  # noqa: S608
            facts_of(person),
        )
    except UniqueViolation as taken:
        raise _taken(taken) from taken


def _taken(violation: UniqueViolation) -> Conflict:
    if violation.diag.constraint_name == "people_phone":
        return Conflict("person.phone_taken", "Somebody else has this phone number.")
    return Conflict("person.email_taken", "Somebody else has this e-mail address.")


async def select_person(
    conn: Connection, person_id: PersonId, *, owner: PersonId | None, for_update: bool = False
) -> Person | None:
    """Return a person.

    Args:
        owner: the student who asks; they find nobody but themself. None for staff.
    """
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM people WHERE id = %(id)s "  # noqa: S608 (constant columns)
            "AND (%(owner)s::uuid IS NULL OR id = %(owner)s) "
            + ("FOR NO KEY UPDATE" if for_update else ""),
            {"id": person_id, "owner": owner},
        )
        return await cursor.fetchone()


async def select_status(conn: Connection, person_id: PersonId) -> PersonStatus | None:
    """Return whether a person is active, which no merge and no erasure changes meanwhile."""
    rows = await conn.execute("SELECT status FROM people WHERE id = %s FOR KEY SHARE", [person_id])
    row = await rows.fetchone()
    return row["status"] if row else None


async def select_by_address(
    conn: Connection, *, email: str | None = None, phone: str | None = None
) -> Person | None:
    """Return the active person with this normalised address; e-mail goes first."""
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM people WHERE status = 'active' "  # noqa: S608
            "AND (email = %(email)s OR phone = %(phone)s) "
            "ORDER BY (email = %(email)s) DESC NULLS LAST LIMIT 1",
            {"email": email, "phone": phone},
        )
        return await cursor.fetchone()


async def update_person(
    conn: Connection,
    person_id: PersonId,
    changes: Mapping[str, str | date | UUID | None],
    *,
    at: datetime,
) -> Person:
    """Write the changed columns and count the version up; the row is locked by the caller.

    Raises: Conflict("person.email_taken"), Conflict("person.phone_taken").
    """
    sets = [sql.SQL("{} = {}").format(sql.Identifier(n), sql.Placeholder(n)) for n in changes]
    statement = sql.SQL(
        "UPDATE people SET {sets}, version = version + 1, updated_at = %(_at)s "
        "WHERE id = %(_id)s RETURNING {columns}"
    ).format(sets=sql.SQL(", ").join(sets), columns=sql.SQL(_COLUMNS))
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        try:
            await cursor.execute(statement, {**changes, "_at": at, "_id": person_id})
        except UniqueViolation as taken:
            raise _taken(taken) from taken
        row = await cursor.fetchone()
    assert row is not None, "the caller holds the row's lock"  # noqa: S101
    return row


async def select_people(
    conn: Connection, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Person]:
    """Return active people, newest first, after (created_at, id)."""
    at, last = after or (None, None)
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM people WHERE status = 'active' "  # noqa: S608
            + ("AND (created_at, id) < (%(at)s, %(last)s) " if after else "")
            + "ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
            {"at": at, "last": last, "limit": limit},
        )
        return await cursor.fetchall()


async def search_people(
    conn: Connection,
    *,
    query: str,
    email: str | None,
    phone: str | None,
    after: tuple[int, UUID] | None,
    limit: int,
) -> list[tuple[int, Person]]:
    """Return active people who match with their rank, best first, after (rank, id)."""
    rank, last = after or (None, None)
    matches, likeness = [_EXACT], _LIKENESS
    if not await _is_common(conn, query):
        matches.append("fold(%(query)s) <%% folded_name")
    elif query.isalnum():
        likeness = _ALIKE
    # Matches are united and not joined by OR, which would compare each spelling once more.
    found = " UNION ".join(
        f"SELECT {_COLUMNS}, {_RANK.format(likeness=likeness)} AS rank FROM people "  # noqa: S608
        f"WHERE status = 'active' AND ({match})"
        for match in matches
    )
    rows = await conn.execute(
        f"SELECT * FROM ({found}) AS found "  # noqa: S608 (constants)
        + ("WHERE (rank, id) < (%(rank)s, %(last)s) " if after else "")
        + "ORDER BY rank DESC, id DESC LIMIT %(limit)s",
        {"query": query, "email": email, "phone": phone, "rank": rank, "last": last}
        | {"limit": limit},
    )
    return [(row.pop("rank"), Person(**row)) for row in await rows.fetchall()]


async def _is_common(conn: Connection, query: str) -> bool:
    """Return whether enough people have the words of a query."""
    # Planned apart from its limit, the matches are found by their index, and no more than needed.
    rows = await conn.execute(
        "WITH named AS MATERIALIZED "  # noqa: S608 (constants)
        f"(SELECT 1 FROM people WHERE status = 'active' AND {_WORDS}) "
        f"SELECT count(*) AS n FROM (SELECT FROM named LIMIT {_ENOUGH}) AS few",
        {"query": query},
    )
    row = await rows.fetchone()
    return row is not None and row["n"] >= _ENOUGH


async def insert_consent(conn: Connection, consent: Consent) -> None:
    """Add a line to the record of consents."""
    await conn.execute(
        """
        INSERT INTO consents (id, person_id, channel, purpose, granted, source, text_version,
            guardian_id, recorded_at)
        VALUES (%(id)s, %(person_id)s, %(channel)s, %(purpose)s, %(granted)s, %(source)s,
            %(text_version)s, %(guardian_id)s, %(recorded_at)s)
        """,
        facts_of(consent),
    )


async def select_current_consents(conn: Connection, person_id: PersonId) -> list[Consent]:
    """Return the last word on every channel and purpose; guardians as who they are now."""
    async with conn.cursor(row_factory=class_row(Consent)) as cursor:
        await cursor.execute(
            """
            SELECT DISTINCT ON (c.channel, c.purpose) c.id, c.person_id, c.channel, c.purpose,
                c.granted, c.source, c.text_version,
                coalesce(g.merged_into, c.guardian_id) AS guardian_id, c.recorded_at
            FROM consents c LEFT JOIN people g ON g.id = c.guardian_id
            WHERE c.person_id = %s
            ORDER BY c.channel, c.purpose, c.recorded_at DESC, c.id DESC
            """,
            [person_id],
        )
        return await cursor.fetchall()


async def select_enrolments(conn: Connection, person_id: PersonId) -> list[EnrolmentSummary]:
    """Return a person's enrolments, the latest first."""
    async with conn.cursor(row_factory=class_row(EnrolmentSummary)) as cursor:
        await cursor.execute(
            """
            SELECT e.id, e.cohort_id, h.code AS cohort_code, h.course_code, c.title_es, c.title_en,
                e.status, h.starts_on, h.ends_on, e.confirmed_at
            FROM enrolments e
            JOIN cohorts h ON h.id = e.cohort_id
            JOIN courses c ON c.code = h.course_code
            WHERE e.person_id = %s ORDER BY h.starts_on DESC, e.id DESC LIMIT 200
            """,
            [person_id],
        )
        return await cursor.fetchall()
