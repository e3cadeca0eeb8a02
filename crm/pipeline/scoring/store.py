"""All the SQL of scores: facts are read and scores written for many leads at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row, tuple_row

from crm.db import Connection
from crm.ids import PersonId
from crm.people.models import Locale
from crm.pipeline.models import LeadId
from crm.pipeline.scoring.facts import LeadFacts

#: For how long a visit or a message counts.
RECENT = timedelta(days=30)

#: What a lead's features are made of, first of all of `LeadFacts`: one text for what is scored and
#: for what is learnt from, so that both mean the same. `{at}` is when: what happened later is not
#: known; `a` holds the sums of activities, `r` the first response.
FEATURES = """
    l.id, l.person_id, l.source, l.stage,
    l.programme_code IS NOT NULL, l.course_code IS NOT NULL,
    (extract(epoch FROM {at} - coalesce(a.seen_at, l.created_at)) / 86400)::float8,
    (extract(epoch FROM {at} - l.stage_since) / 86400)::float8,
    coalesce(a.messages, 0), coalesce(a.visits, 0), coalesce(a.forms, 0),
    coalesce(a.meetings, 0), coalesce(a.tries, 0),
    (extract(epoch FROM r.spent) / 3600)::float8
"""
#: Sums over the activities of a lead; `{recent}` is since when they count as recent.
ACTIVITY_SUMS = """
    max(occurred_at) FILTER (WHERE direction = 'in' OR kind IN ('page_visit', 'form')) AS seen_at,
    count(*) FILTER (WHERE direction = 'in' AND kind IN ('message', 'call', 'email')
        AND occurred_at > {recent})::int AS messages,
    count(*) FILTER (WHERE kind = 'page_visit' AND occurred_at > {recent})::int AS visits,
    count(*) FILTER (WHERE kind = 'form')::int AS forms,
    count(*) FILTER (WHERE kind = 'meeting')::int AS meetings,
    count(*) FILTER (WHERE direction = 'out' AND occurred_at > {recent})::int AS tries
"""
#: The activities that count at all.
COUNTED = "kind IN ('page_visit', 'message', 'call', 'email', 'form', 'meeting')"

_FACTS = """
    SELECT {features}, c.person_id IS NOT NULL, s.score, s.model, s.cells
    FROM leads l
    LEFT JOIN (
        SELECT lead_id, {sums}
        FROM activities
        WHERE {activities} AND {counted} AND occurred_at <= %(at)s
        GROUP BY lead_id
    ) a ON a.lead_id = l.id
    LEFT JOIN (
        SELECT subject_id, min(spent) AS spent FROM sla_clocks
        WHERE subject_kind = 'lead' AND target = 'first_response' AND {clocks}
            AND stopped_at <= %(at)s
        GROUP BY subject_id
    ) r ON r.subject_id = l.id
    LEFT JOIN (
        SELECT person_id FROM (
            SELECT DISTINCT ON (person_id, channel) person_id, granted FROM consents
            WHERE purpose = 'marketing' AND {consents} AND recorded_at <= %(at)s
            ORDER BY person_id, channel, recorded_at DESC, id DESC
        ) last WHERE granted GROUP BY person_id
    ) c ON c.person_id = l.person_id
    LEFT JOIN (
        SELECT DISTINCT ON (lead_id) lead_id, score, model, cells FROM lead_scores
        WHERE {scores} ORDER BY lead_id, scored_at DESC, id DESC
    ) s ON s.lead_id = l.id
    WHERE l.stage NOT IN ('enrolled', 'lost') AND {leads}
"""
_NOW = {
    "features": FEATURES.format(at="%(at)s"),
    "sums": ACTIVITY_SUMS.format(recent="%(recent)s"),
    "counted": COUNTED,
}
#: Of all leads, tables are read as a whole; of some, what belongs to them is found by indexes.
_ALL = {
    "activities": "lead_id IS NOT NULL",
    "clocks": "TRUE",
    "consents": "TRUE",
    "scores": "TRUE",
    "leads": "TRUE",
}
_SOME = {
    "activities": "lead_id = ANY(%(ids)s)",
    "clocks": "subject_id = ANY(%(ids)s)",
    "consents": "person_id IN (SELECT person_id FROM leads WHERE id = ANY(%(ids)s))",
    "scores": "lead_id = ANY(%(ids)s)",
    "leads": "l.id = ANY(%(ids)s)",
}


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """A score as it is kept.

    Args:
        cells: where the lead's features fell, by the model's scales; they explain the score.
    """

    id: UUID
    lead_id: LeadId
    score: int
    model: str
    cells: bytes
    scored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """A batch of scores that was computed.

    Args:
        whole: all open leads, not some that something happened with.
        digest: of every lead's score, SHA-256.
    """

    id: UUID
    model: str
    whole: bool
    leads: int
    changed: int
    digest: bytes
    scored_at: datetime


async def select_facts(
    conn: Connection, *, at: datetime, lead_ids: Sequence[UUID] | None
) -> list[LeadFacts]:
    """Return what is known of open leads at a moment; None is of all of them."""
    statement = facts_statement(whole=lead_ids is None)
    asked = {"at": at, "recent": at - RECENT, "ids": list(lead_ids or ())}
    async with conn.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(statement, asked)
        return [LeadFacts._make(row) for row in await cursor.fetchall()]


def facts_statement(*, whole: bool) -> str:
    """Return the query for what is known of all open leads, or of some."""
    return _FACTS.format(**_NOW, **(_ALL if whole else _SOME))


async def copy_scores(conn: Connection, lines: Sequence[str]) -> None:
    """Add scores; each line is the text that COPY takes."""
    async with (
        conn.cursor() as cursor,
        cursor.copy(
            "COPY lead_scores (id, lead_id, score, model, cells, scored_at) FROM STDIN"
        ) as copy,
    ):
        await copy.write("".join(lines))


async def insert_scoring(conn: Connection, scoring: Scoring) -> None:
    """Note that a batch was scored."""
    await conn.execute(
        "INSERT INTO scorings (id, model, whole, leads, changed, digest, scored_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [
            *(scoring.id, scoring.model, scoring.whole, scoring.leads, scoring.changed),
            *(scoring.digest, scoring.scored_at),
        ],
    )


async def select_last_whole(conn: Connection) -> datetime | None:
    """Return when all leads were last scored."""
    rows = await conn.execute("SELECT max(scored_at) AS at FROM scorings WHERE whole")
    row = await rows.fetchone()
    return row["at"] if row else None


async def select_score(conn: Connection, lead_id: LeadId) -> ScoreLine | None:
    """Return a lead's latest score."""
    async with conn.cursor(row_factory=class_row(ScoreLine)) as cursor:
        await cursor.execute(
            "SELECT id, lead_id, score, model, cells, scored_at FROM lead_scores "
            "WHERE lead_id = %s ORDER BY scored_at DESC, id DESC LIMIT 1",
            [lead_id],
        )
        return await cursor.fetchone()


async def mark_due(
    conn: Connection, *, lead_id: UUID | None = None, person_id: UUID | None = None
) -> None:
    """Let a lead, or all open leads of a person, be scored anew soon."""
    await conn.execute(
        """
        INSERT INTO lead_scores_due (lead_id)
        SELECT id FROM leads WHERE stage NOT IN ('enrolled', 'lost')
            AND (id = %(lead)s::uuid OR person_id = %(person)s::uuid)
        ORDER BY id ON CONFLICT DO NOTHING
        """,
        {"lead": lead_id, "person": person_id},
    )


async def take_due(conn: Connection, *, limit: int) -> list[UUID]:
    """Take leads that are to be scored anew; others take others meanwhile."""
    rows = await conn.execute(
        """
        DELETE FROM lead_scores_due WHERE lead_id IN (
            SELECT lead_id FROM lead_scores_due ORDER BY lead_id LIMIT %s FOR UPDATE SKIP LOCKED
        ) RETURNING lead_id
        """,
        [limit],
    )
    return [row["lead_id"] for row in await rows.fetchall()]


async def has_due(conn: Connection) -> bool:
    """Return whether a lead waits to be scored anew."""
    rows = await conn.execute("SELECT FROM lead_scores_due LIMIT 1")
    return await rows.fetchone() is not None


async def forget_due(conn: Connection) -> None:
    """Wait for nobody any more, as all are scored now."""
    await conn.execute("DELETE FROM lead_scores_due")


async def select_addressee(conn: Connection, lead_id: UUID) -> tuple[PersonId, Locale] | None:
    """Return whose lead this is, and in which language they are talked to; no score looks at it."""
    rows = await conn.execute("SELECT person_id, language FROM leads WHERE id = %s", [lead_id])
    row = await rows.fetchone()
    return (PersonId(row["person_id"]), row["language"]) if row else None
