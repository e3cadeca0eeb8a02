"""All the SQL of quotes, and of the seats and people they are for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from crm.courses.fees.models import (
    ApplicationId,
    Quote,
    QuoteId,
    QuoteStatus,
    Reduction,
    ReductionKind,
    Seat,
)
from crm.courses.models import CohortId
from crm.db import Connection
from crm.ids import PersonId
from crm.money import Money
from crm.paging import equal, newest_first
from crm.people.models import PersonStatus

# --- what a quote rests on ----------------------------------------------------------------------


async def select_seat(conn: Connection, cohort_id: UUID) -> Seat | None:
    """Return what a quote must know of a cohort."""
    rows = await conn.execute(
        "SELECT id, price_minor, currency, starts_on, status FROM cohorts WHERE id = %s",
        [cohort_id],
    )
    row = await rows.fetchone()
    if row is None:
        return None
    return Seat(
        cohort_id=CohortId(row["id"]),
        price=Money(row["price_minor"], row["currency"]),
        starts_on=row["starts_on"],
        cancelled=row["status"] == "cancelled",
    )


async def select_standing(conn: Connection, person_id: UUID) -> tuple[PersonStatus, bool] | None:
    """Return a person's status, which stays, and whether they have completed a course."""
    rows = await conn.execute(
        """
        SELECT status, EXISTS (
            SELECT 1 FROM enrolments e WHERE e.person_id = p.id AND e.status = 'completed'
        ) AS alumni FROM people p WHERE id = %s FOR KEY SHARE OF p
        """,
        [person_id],
    )
    row = await rows.fetchone()
    return (row["status"], row["alumni"]) if row else None


# --- quotes -------------------------------------------------------------------------------------


async def lock_effect(conn: Connection, effect_key: str) -> None:
    """Let nobody else make the quote of an effect until this transaction ends."""
    await conn.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('quote:' || %s, 0))", [effect_key]
    )


async def insert_quote(conn: Connection, quote: Quote, effect_key: str) -> None:
    """Add a quote."""
    off = {r.kind: r for r in quote.reductions}
    await conn.execute(
        """
        INSERT INTO quotes (id, effect_key, cohort_id, person_id, currency, list_minor,
            discount_code, discount_minor, scholarship_code, scholarship_minor, application_id,
            net_minor, status, created_at, expires_at)
        VALUES (%(id)s, %(effect_key)s, %(cohort_id)s, %(person_id)s, %(currency)s, %(list)s,
            %(discount_code)s, %(discount)s, %(scholarship_code)s, %(scholarship)s,
            %(application_id)s, %(net)s, %(status)s, %(created_at)s, %(expires_at)s)
        """,
        {
            "id": quote.id,
            "effect_key": effect_key,
            "cohort_id": quote.cohort_id,
            "person_id": quote.person_id,
            "currency": quote.list_price.currency,
            "list": quote.list_price.amount_minor,
            "discount_code": quote.code_of("discount"),
            "discount": _minor(off, "discount"),
            "scholarship_code": quote.code_of("scholarship"),
            "scholarship": _minor(off, "scholarship"),
            "application_id": quote.application_id,
            "net": quote.net.amount_minor,
            "status": quote.status,
            "created_at": quote.created_at,
            "expires_at": quote.expires_at,
        },
    )


def _minor(off: Mapping[ReductionKind, Reduction], kind: ReductionKind) -> int:
    return off[kind].amount.amount_minor if kind in off else 0


async def select_quote_by_effect(conn: Connection, effect_key: str) -> Quote | None:
    """Return the quote that an effect made."""
    rows = await conn.execute("SELECT * FROM quotes WHERE effect_key = %s", [effect_key])
    row = await rows.fetchone()
    return quote_of(row) if row else None


async def select_quote(
    conn: Connection, quote_id: UUID, *, owner: PersonId | None, lock: bool = False
) -> Quote | None:
    """Return a quote; with an owner only theirs."""
    rows = await conn.execute(
        "SELECT * FROM quotes WHERE id = %(id)s AND (%(owner)s::uuid IS NULL "  # noqa: S608
        f"OR person_id = %(owner)s){' FOR UPDATE' if lock else ''}",
        {"id": quote_id, "owner": owner},
    )
    row = await rows.fetchone()
    return quote_of(row) if row else None


async def count_live(conn: Connection, person_id: PersonId, *, at: datetime) -> int:
    """Return how many prices a person has that they could still agree to."""
    rows = await conn.execute(
        "SELECT count(*) FROM quotes WHERE person_id = %s AND status = 'live' AND expires_at > %s",
        [person_id, at],
    )
    row = await rows.fetchone()
    return int(row["count"]) if row else 0


async def select_quotes(
    conn: Connection,
    filters: Mapping[str, object],
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Quote]:
    """Return quotes, newest first.

    Args:
        filters: any of `person_id`, `cohort_id`, `status`.
        after: (created_at, id) of the last one seen.
    """
    page, values = newest_first(
        filters,
        equal("person_id", "cohort_id", "status"),
        keys=("created_at", "id"),
        after=after,
        limit=limit,
    )
    rows = await conn.execute(f"SELECT * FROM quotes {page}", values)  # noqa: S608 (constants)
    return [quote_of(r) for r in await rows.fetchall()]


async def update_quote(
    conn: Connection, quote_id: QuoteId, status: QuoteStatus, *, at: datetime
) -> Quote:
    """Write a quote's state."""
    rows = await conn.execute(
        "UPDATE quotes SET status = %s, decided_at = %s WHERE id = %s RETURNING *",
        [status, at, quote_id],
    )
    return quote_of((await rows.fetchall())[0])


async def update_returned(conn: Connection, quote_id: QuoteId, returned_minor: int) -> Quote:
    """Write what of a quote's grant went back."""
    rows = await conn.execute(
        "UPDATE quotes SET returned_minor = %s WHERE id = %s RETURNING *",
        [returned_minor, quote_id],
    )
    return quote_of((await rows.fetchall())[0])


async def expire_overdue(
    conn: Connection, *, at: datetime, limit: int, scholarship_code: str | None = None
) -> list[QuoteId]:
    """Let live quotes that are overdue expire, those that somebody else holds left out.

    Args:
        scholarship_code: only those that draw on this fund.
    """
    rows = await conn.execute(
        """
        UPDATE quotes SET status = 'expired', decided_at = %(at)s WHERE id IN (
            SELECT id FROM quotes WHERE status = 'live' AND expires_at <= %(at)s
                AND (%(code)s::text IS NULL OR scholarship_code = %(code)s)
            ORDER BY expires_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        ) RETURNING id
        """,
        {"at": at, "code": scholarship_code, "limit": limit},
    )
    return sorted(QuoteId(r["id"]) for r in await rows.fetchall())


def quote_of(row: DictRow) -> Quote:
    """Return the quote of a row."""
    currency = row["currency"]
    kinds: Sequence[ReductionKind] = ("discount", "scholarship")
    return Quote(
        id=QuoteId(row["id"]),
        cohort_id=CohortId(row["cohort_id"]),
        person_id=PersonId(row["person_id"]),
        list_price=Money(row["list_minor"], currency),
        reductions=tuple(
            Reduction(kind, row[f"{kind}_code"], Money(row[f"{kind}_minor"], currency))
            for kind in kinds
            if row[f"{kind}_code"] is not None
        ),
        net=Money(row["net_minor"], currency),
        status=row["status"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        application_id=ApplicationId(row["application_id"]) if row["application_id"] else None,
        returned_minor=row["returned_minor"],
    )
