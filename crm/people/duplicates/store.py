"""All the SQL of duplicates: candidates, the queue of the unchecked, suggestions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from crm.db import Connection
from crm.ids import PersonId, new_id
from crm.people.duplicates.models import Candidate, Likeness, Suggestion, SuggestionStatus

#: Names less alike than this are not even compared.
_NAME_SIMILARITY = 0.5
_CANDIDATES = 20


async def select_candidates(
    conn: Connection, people: Sequence[PersonId], *, by_name: bool
) -> list[tuple[Likeness, Likeness]]:
    """Return active people with others whose mailbox, phone or name and birthday are theirs.

    Args:
        by_name: also those whose name alone is alike, by a trigram index: 20 to 40 ms a person
            among 100,000, where the rest takes one.
    """
    await conn.execute(
        "SELECT set_config('pg_trgm.similarity_threshold', %s, true)", [str(_NAME_SIMILARITY)]
    )
    rows = await conn.execute(
        """
        SELECT p.id AS p_id, p.full_name AS p_full_name, p.email AS p_email, p.phone AS p_phone,
            p.birth_date AS p_birth_date, q.id AS q_id, q.full_name AS q_full_name,
            q.email AS q_email, q.phone AS q_phone, q.birth_date AS q_birth_date
        FROM people p
        CROSS JOIN LATERAL (
            (SELECT * FROM people WHERE status = 'active' AND email IS NOT NULL
                AND mailbox_key(email) = mailbox_key(p.email) LIMIT %(most)s)
            UNION
            (SELECT * FROM people WHERE status = 'active' AND phone IS NOT NULL
                AND right(phone, 8) = right(p.phone, 8) LIMIT %(most)s)
            UNION
            (SELECT * FROM people WHERE status = 'active' AND birth_date = p.birth_date
                AND similarity(folded_name, p.folded_name) >= %(alike)s LIMIT %(most)s)
            UNION
            (SELECT * FROM people WHERE %(by_name)s AND status = 'active'
                AND folded_name %% p.folded_name
                ORDER BY similarity(folded_name, p.folded_name) DESC, id LIMIT %(most)s)
        ) q
        WHERE p.id = ANY(%(people)s) AND p.status = 'active' AND q.id <> p.id
        """,
        {
            "people": list(people),
            "most": _CANDIDATES,
            "alike": _NAME_SIMILARITY,
            "by_name": by_name,
        },
    )
    return [(_likeness(row, "p_"), _likeness(row, "q_")) for row in await rows.fetchall()]


def _likeness(row: DictRow, prefix: str) -> Likeness:
    names = ("id", "full_name", "email", "phone", "birth_date")
    return Likeness(*(row[prefix + name] for name in names))


async def take_unchecked(conn: Connection, *, limit: int) -> list[PersonId]:
    """Take from the queue those who wait longest; others skip them until this commits."""
    rows = await conn.execute(
        """
        DELETE FROM duplicate_queue WHERE person_id IN (
            SELECT person_id FROM duplicate_queue ORDER BY queued_at, person_id
            LIMIT %s FOR UPDATE SKIP LOCKED
        ) RETURNING person_id
        """,
        [limit],
    )
    return [row["person_id"] for row in await rows.fetchall()]


async def replace_suggestions(
    conn: Connection,
    people: Sequence[PersonId],
    found: Sequence[tuple[PersonId, Candidate]],
    *,
    at: datetime,
) -> None:
    """Keep what was found about these people; what was dismissed stays so."""
    # In one order, so that two that look at once do not wait for each other for ever.
    pairs = dict(
        sorted(
            ((tuple(sorted((one, c.person.id))), c) for one, c in found), key=lambda pair: pair[0]
        )
    )
    firsts, seconds = [p[0] for p in pairs], [p[1] for p in pairs]
    await conn.execute(
        """
        DELETE FROM duplicate_suggestions s
        WHERE status = 'open' AND (first_id = ANY(%(people)s) OR second_id = ANY(%(people)s))
          AND NOT EXISTS (
            SELECT FROM unnest(%(firsts)s::uuid[], %(seconds)s::uuid[]) AS n (a, b)
            WHERE (n.a, n.b) = (s.first_id, s.second_id))
        """,
        {"people": list(people), "firsts": firsts, "seconds": seconds},
    )
    await _upsert(conn, firsts, seconds, list(pairs.values()), at=at)


async def _upsert(
    conn: Connection,
    firsts: Sequence[UUID],
    seconds: Sequence[UUID],
    found: Sequence[Candidate],
    *,
    at: datetime,
) -> None:
    await conn.execute(
        """
        INSERT INTO duplicate_suggestions (id, first_id, second_id, score, reasons, status,
            found_at)
        SELECT i, a, b, s, string_to_array(r, ','), 'open', %(at)s
        FROM unnest(%(ids)s::uuid[], %(firsts)s::uuid[], %(seconds)s::uuid[], %(scores)s::int[],
            %(reasons)s::text[]) AS n (i, a, b, s, r)
        ON CONFLICT (first_id, second_id) DO UPDATE SET score = excluded.score,
            reasons = excluded.reasons, status = 'open', found_at = excluded.found_at
        WHERE duplicate_suggestions.status <> 'dismissed'
        """,
        {
            "at": at,
            "ids": [new_id() for _ in found],
            "firsts": list(firsts),
            "seconds": list(seconds),
            "scores": [c.score for c in found],
            "reasons": [",".join(c.reasons) for c in found],
        },
    )


_SUGGESTION = """
    SELECT s.id, s.score, s.reasons, s.status, s.found_at,
        a.id AS a_id, a.full_name AS a_full_name, a.email AS a_email, a.phone AS a_phone,
        a.birth_date AS a_birth_date, b.id AS b_id, b.full_name AS b_full_name,
        b.email AS b_email, b.phone AS b_phone, b.birth_date AS b_birth_date
    FROM duplicate_suggestions s
    JOIN people a ON a.id = s.first_id JOIN people b ON b.id = s.second_id
"""


def _suggestion(row: DictRow) -> Suggestion:
    return Suggestion(
        id=row["id"],
        first=_likeness(row, "a_"),
        second=_likeness(row, "b_"),
        score=row["score"],
        reasons=tuple(row["reasons"]),
        status=row["status"],
        found_at=row["found_at"],
    )


async def select_suggestions(
    conn: Connection, *, after: tuple[int, UUID] | None, limit: int
) -> list[Suggestion]:
    """Return open suggestions, the most alike first, after (score, id)."""
    values: dict[str, Any] = {"limit": limit}
    beyond = ""
    if after is not None:
        beyond = "AND (s.score, s.id) < (%(score)s::smallint, %(last)s::uuid)"
        values |= {"score": after[0], "last": after[1]}
    rows = await conn.execute(
        f"{_SUGGESTION} WHERE s.status = 'open' {beyond} "
        "ORDER BY s.score DESC, s.id DESC LIMIT %(limit)s",
        values,
    )
    return [_suggestion(row) for row in await rows.fetchall()]


async def select_suggestion(conn: Connection, suggestion_id: UUID) -> Suggestion | None:
    """Return a suggestion, and let nobody else decide on it meanwhile."""
    rows = await conn.execute(f"{_SUGGESTION} WHERE s.id = %s FOR UPDATE OF s", [suggestion_id])
    row = await rows.fetchone()
    return _suggestion(row) if row else None


async def close_suggestion(
    conn: Connection, suggestion_id: UUID, *, staff_id: UUID | None, at: datetime
) -> None:
    """Note that two records are of two people."""
    await conn.execute(
        "UPDATE duplicate_suggestions SET status = 'dismissed', decided_at = %s, staff_id = %s "
        "WHERE id = %s",
        [at, staff_id, suggestion_id],
    )


async def select_dismissed(conn: Connection, person_id: PersonId) -> set[PersonId]:
    """Return those who are known to be somebody else than this person."""
    rows = await conn.execute(
        """
        SELECT second_id AS id FROM duplicate_suggestions
        WHERE first_id = %(id)s AND status = 'dismissed'
        UNION ALL
        SELECT first_id FROM duplicate_suggestions
        WHERE second_id = %(id)s AND status = 'dismissed'
        """,
        {"id": person_id},
    )
    return {row["id"] for row in await rows.fetchall()}


async def move_suggestion(
    conn: Connection,
    pair: tuple[PersonId, PersonId],
    status: SuggestionStatus,
    *,
    at: datetime,
) -> None:
    """Note what became of a pair, if it had been suggested."""
    first, second = sorted(pair)
    await conn.execute(
        "UPDATE duplicate_suggestions SET status = %s, decided_at = %s "
        "WHERE first_id = %s AND second_id = %s",
        [status, None if status == "open" else at, first, second],
    )


async def drop_open_suggestions(conn: Connection, person_id: PersonId) -> None:
    """Forget what is suggested about somebody who is no longer a record of their own."""
    await conn.execute(
        "DELETE FROM duplicate_suggestions WHERE status = 'open' "
        "AND (first_id = %(id)s OR second_id = %(id)s)",
        {"id": person_id},
    )
