"""All the SQL of next actions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from crm.db import Connection
from crm.ids import PersonId, StaffId
from crm.paging import newest_first
from crm.people.models import Locale
from crm.pipeline.actions.models import ActionId, Asked, NextAction, Reason
from crm.pipeline.models import LeadId, Stage

_NAMES = (
    *("id", "effect_key", "kind", "person_id", "lead_id", "staff_id", "why", "reasons", "language"),
    *(
        "draft",
        "tool",
        "arguments",
        "asked",
        "frozen_hash",
        "priority",
        "status",
        "due_at",
        "expires_at",
    ),
    *("snoozed_until", "dismiss_reason", "version", "created_at", "decided_at", "decided_by"),
)
_COLUMNS = ", ".join(_NAMES)
_FILTERS = {
    "now": "status = 'open' AND expires_at > %(now)s "
    "AND (snoozed_until IS NULL OR snoozed_until <= %(now)s)",
    "staff_id": "(staff_id = %(staff_id)s OR staff_id IS NULL)",
    "kind": "kind = %(kind)s",
}


@dataclass(frozen=True, slots=True)
class LeadToAct:
    """What is asked of a lead before anything is suggested about it.

    Args:
        value_minor: what the thing of interest costs; None where none is named.
    """

    person_id: PersonId
    staff_id: StaffId | None
    language: Locale
    stage: Stage
    person_status: str
    value_minor: int | None


async def select_lead(conn: Connection, lead_id: LeadId) -> LeadToAct | None:
    """Return a lead, with nobody else suggesting anything about its person meanwhile."""
    rows = await conn.execute(
        """
        SELECT l.person_id, l.staff_id, l.language, l.stage, p.status AS person_status,
            coalesce(g.fee_minor, c.price_minor) AS value_minor
        FROM leads l JOIN people p ON p.id = l.person_id
        LEFT JOIN programmes g ON g.code = l.programme_code
        LEFT JOIN courses c ON c.code = l.course_code
        WHERE l.id = %s FOR NO KEY UPDATE OF p
        """,
        [lead_id],
    )
    row = await rows.fetchone()
    return LeadToAct(**row) if row else None


async def insert_action(conn: Connection, action: NextAction) -> None:
    """Add a suggestion."""
    values: dict[str, Any] = {name: getattr(action, name) for name in _NAMES}
    values |= {
        "reasons": Jsonb([[reason.feature, reason.points] for reason in action.reasons]),
        "arguments": Jsonb(dict(action.arguments)),
        "asked": Jsonb(action.asked.plain()) if action.asked else None,
    }
    marks = ", ".join(f"%({name})s" for name in _NAMES)
    await conn.execute(
        f"INSERT INTO next_actions ({_COLUMNS}) VALUES ({marks})",  # noqa: S608 (constant names)
        values,
    )


async def select_action(
    conn: Connection, action_id: ActionId, *, lock: bool = False
) -> NextAction | None:
    """Return a suggestion, locked if it is going to be decided on."""
    rows = await conn.execute(
        f"SELECT {_COLUMNS} FROM next_actions WHERE id = %s"  # noqa: S608 (constant columns)
        + (" FOR UPDATE" if lock else ""),
        [action_id],
    )
    row = await rows.fetchone()
    return _action(row) if row else None


async def select_by_key(conn: Connection, effect_key: str) -> NextAction | None:
    """Return what was suggested with a key before."""
    rows = await conn.execute(
        f"SELECT {_COLUMNS} FROM next_actions WHERE effect_key = %s",  # noqa: S608
        [effect_key],
    )
    row = await rows.fetchone()
    return _action(row) if row else None


async def select_queue(
    conn: Connection,
    *,
    now: datetime,
    staff_id: StaffId | None,
    kind: str | None,
    after: tuple[int, UUID] | None,
    limit: int,
) -> list[NextAction]:
    """Return what is open now, the most worth first; None of staff is of everybody."""
    page, values = newest_first(
        {"now": now, "staff_id": staff_id, "kind": kind},
        _FILTERS,
        keys=("priority", "id"),
        after=after,
        limit=limit,
    )
    rows = await conn.execute(f"SELECT {_COLUMNS} FROM next_actions {page}", values)  # noqa: S608
    return [_action(row) for row in await rows.fetchall()]


async def count_open(conn: Connection, staff_id: StaffId | None, *, now: datetime) -> int:
    """Return how many suggestions wait for somebody; nobody's are nobody's burden."""
    rows = await conn.execute(
        "SELECT count(*) FROM next_actions "
        "WHERE staff_id = %s AND status = 'open' AND expires_at > %s",
        [staff_id, now],
    )
    row = await rows.fetchone()
    return int(row["count"]) if row else 0


async def count_reached(
    conn: Connection, person_id: PersonId, *, kinds: list[str], since: datetime
) -> int:
    """Return how often somebody was, or is about to be, reached out to unasked."""
    rows = await conn.execute(
        "SELECT count(*) FROM next_actions WHERE person_id = %s AND created_at > %s "
        "AND kind = ANY(%s) AND status IN ('open', 'accepted', 'withheld')",
        [person_id, since, kinds],
    )
    row = await rows.fetchone()
    return int(row["count"]) if row else 0


async def update_action(
    conn: Connection, action_id: ActionId, changes: Mapping[str, Any]
) -> NextAction:
    """Write the changed columns and count the version up; the row is locked by the caller."""
    sets = [sql.SQL("{} = {}").format(sql.Identifier(n), sql.Placeholder(n)) for n in changes]
    statement = sql.SQL(
        "UPDATE next_actions SET {sets}, version = version + 1 WHERE id = %(_id)s "
        "RETURNING {columns}"
    ).format(sets=sql.SQL(", ").join(sets), columns=sql.SQL(_COLUMNS))
    values = {n: Jsonb(v) if isinstance(v, dict) else v for n, v in changes.items()}
    rows = await conn.execute(statement, {**values, "_id": action_id})
    row = await rows.fetchone()
    assert row is not None, "the caller holds the row's lock"  # noqa: S101
    return _action(row)


async def select_first_name(conn: Connection, person_id: PersonId) -> str:
    """Return how a person is addressed."""
    rows = await conn.execute(
        "SELECT split_part(full_name, ' ', 1) AS name FROM people WHERE id = %s", [person_id]
    )
    row = await rows.fetchone()
    return str(row["name"]) if row else ""


async def expire(conn: Connection, *, at: datetime, limit: int) -> int:
    """Close suggestions whose time is over; returns how many."""
    rows = await conn.execute(
        """
        UPDATE next_actions SET status = 'expired' WHERE id IN (
            SELECT id FROM next_actions WHERE status = 'open' AND expires_at <= %s
            ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED
        )
        """,
        [at, limit],
    )
    return rows.rowcount


def _action(row: DictRow) -> NextAction:
    reasons = tuple(Reason(feature, points) for feature, points in row["reasons"])
    return NextAction(**row | {"reasons": reasons, "asked": _asked(row["asked"])})


def _asked(plain: Mapping[str, Any] | None) -> Asked | None:
    if not plain:
        return None
    ids = {n: UUID(plain[n]) for n in ("subject_id", "person_id", "conversation_id") if plain[n]}
    agent = tuple(plain["agent"]) if plain["agent"] else None
    return Asked(**{**plain, **ids, "agent": agent})
