"""All the SQL of sagas."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow, class_row
from psycopg.types.json import Jsonb

from crm.courses.enrolments.models import EnrolmentId
from crm.courses.models import Bilingual
from crm.courses.seats.models import HoldId
from crm.db import Connection
from crm.ids import PersonId
from crm.paging import equal, newest_first
from crm.payments.models import InvoiceId
from crm.workflows.models import InvoicedCourse, Saga, SagaId, SagaStep

_FIELDS = tuple(Saga.__dataclass_fields__)
_FIXED = {"id", "kind", "person_id", "cohort_id", "effect_key", "created_at"}
_INSERT = f"""
    INSERT INTO sagas ({", ".join(_FIELDS)})
    VALUES ({", ".join(f"%({name})s" for name in _FIELDS)})
"""  # noqa: S608 (the names of a class)
_UPDATE = f"""
    UPDATE sagas SET {", ".join(f"{name} = %({name})s" for name in _FIELDS if name not in _FIXED)}
    WHERE id = %(id)s
"""  # noqa: S608 (the names of a class)


async def insert_saga(conn: Connection, saga: Saga) -> None:
    """Add a saga."""
    await conn.execute(_INSERT, _values(saga))


async def update_saga(conn: Connection, saga: Saga) -> None:
    """Write how a locked saga stands."""
    await conn.execute(_UPDATE, _values(saga))


async def insert_step(conn: Connection, saga_id: SagaId, step: SagaStep) -> None:
    """Add what a saga did."""
    await conn.execute(
        "INSERT INTO saga_steps (saga_id, seq, step, outcome, code, recorded_at) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        [saga_id, step.seq, step.step, step.outcome, step.code, step.recorded_at],
    )


async def select_steps(conn: Connection, saga_id: SagaId) -> list[SagaStep]:
    """Return what a saga did, the first first."""
    async with conn.cursor(row_factory=class_row(SagaStep)) as cursor:
        rows = await cursor.execute(
            "SELECT seq, step, outcome, code, recorded_at FROM saga_steps WHERE saga_id = %s "
            "ORDER BY seq",
            [saga_id],
        )
        return await rows.fetchall()


async def claim_due(conn: Connection, *, at: datetime, saga_id: SagaId | None) -> Saga | None:
    """Lock a saga that has something to do and that nobody else works on.

    Args:
        saga_id: only this one.
    """
    rows = await conn.execute(
        """
        SELECT * FROM sagas WHERE next_run_at <= %(at)s AND parked_at IS NULL
            AND (%(id)s::uuid IS NULL OR id = %(id)s)
        ORDER BY next_run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
        """,
        {"at": at, "id": saga_id},
    )
    return _saga_or_none(await rows.fetchone())


async def lock_saga(conn: Connection, saga_id: SagaId) -> Saga | None:
    """Return a saga, held until the transaction ends."""
    rows = await conn.execute("SELECT * FROM sagas WHERE id = %s FOR UPDATE", [saga_id])
    return _saga_or_none(await rows.fetchone())


async def select_saga(conn: Connection, saga_id: SagaId, *, owner: PersonId | None) -> Saga | None:
    """Return a saga; an owner finds only their own."""
    rows = await conn.execute(
        "SELECT * FROM sagas WHERE id = %(id)s "
        "AND (%(owner)s::uuid IS NULL OR person_id = %(owner)s)",
        {"id": saga_id, "owner": owner},
    )
    return _saga_or_none(await rows.fetchone())


async def select_by_effect(conn: Connection, effect_key: str) -> Saga | None:
    """Return the saga that an effect started."""
    rows = await conn.execute("SELECT * FROM sagas WHERE effect_key = %s", [effect_key])
    return _saga_or_none(await rows.fetchone())


async def select_enrolment_saga(conn: Connection, enrolment_id: EnrolmentId) -> Saga | None:
    """Return the saga that an enrolment, or the one it replaces, came of."""
    rows = await conn.execute(
        """
        WITH RECURSIVE chain AS (
            SELECT id, transferred_from FROM enrolments WHERE id = %s
            UNION ALL
            SELECT e.id, e.transferred_from FROM enrolments e JOIN chain c
                ON e.id = c.transferred_from
        )
        SELECT s.* FROM sagas s JOIN chain c ON s.enrolment_id = c.id WHERE s.kind = 'enrolment'
        LIMIT 1
        """,
        [enrolment_id],
    )
    return _saga_or_none(await rows.fetchone())


async def select_invoiced(
    conn: Connection, invoice_ids: Sequence[InvoiceId], *, owner: PersonId | None
) -> dict[InvoiceId, InvoicedCourse]:
    """Return the courses that invoices are for; an owner finds only their own."""
    rows = await conn.execute(
        """
        SELECT s.invoice_id, c.code, k.title_es, k.title_en FROM sagas s
        JOIN cohorts c ON c.id = s.cohort_id JOIN courses k ON k.code = c.course_code
        WHERE s.invoice_id = ANY(%(ids)s) AND s.kind = 'enrolment'
            AND (%(owner)s::uuid IS NULL OR s.person_id = %(owner)s)
        """,
        {"ids": list(invoice_ids), "owner": owner},
    )
    return {
        InvoiceId(row["invoice_id"]): InvoicedCourse(
            row["code"], Bilingual(row["title_es"], row["title_en"])
        )
        for row in await rows.fetchall()
    }


async def lock_effect(conn: Connection, effect_key: str) -> None:
    """Let one caller at a time start what an effect starts."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 13))", [effect_key])


async def select_parked(conn: Connection) -> list[SagaId]:
    """Return the sagas that wait for somebody to look, the oldest first."""
    rows = await conn.execute(
        "SELECT id FROM sagas WHERE parked_at IS NOT NULL ORDER BY created_at, id"
    )
    return [SagaId(row["id"]) for row in await rows.fetchall()]


async def select_sagas(
    conn: Connection,
    filters: Mapping[str, object],
    *,
    owner: PersonId | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Saga]:
    """Return sagas, the newest first.

    Args:
        filters: any of `status`, `person_id`; `is_parked` for those that wait for somebody.
    """
    page, values = newest_first(
        {**filters, "owner": owner},
        _FILTERS,
        keys=("created_at", "id"),
        after=after,
        limit=limit,
    )
    rows = await conn.execute(f"SELECT * FROM sagas {page}", values)  # noqa: S608 (constants)
    return [_saga(row) for row in await rows.fetchall()]


_FILTERS = equal("status", "person_id") | {
    "owner": "person_id = %(owner)s",
    "is_parked": "(parked_at IS NOT NULL) = %(is_parked)s",
}


async def wake(
    conn: Connection, *, at: datetime, invoice_id: InvoiceId | None, hold_id: HoldId | None
) -> int:
    """Let sagas of an invoice or a hold look again; waits for who works on them."""
    cursor = await conn.execute(
        """
        UPDATE sagas SET next_run_at = %(at)s WHERE id IN (
            SELECT id FROM sagas WHERE (invoice_id = %(invoice)s OR hold_id = %(hold)s)
                AND parked_at IS NULL
            ORDER BY id FOR UPDATE)
        """,
        {"at": at, "invoice": invoice_id, "hold": hold_id},
    )
    return cursor.rowcount


async def select_refunds_of(conn: Connection, invoice_id: InvoiceId) -> list[str]:
    """Return how the refunds of an invoice's payments stand."""
    rows = await conn.execute(
        "SELECT r.status FROM refunds r JOIN payments p ON p.id = r.payment_id "
        "WHERE p.invoice_id = %s",
        [invoice_id],
    )
    return [row["status"] for row in await rows.fetchall()]


def _values(saga: Saga) -> dict[str, Any]:
    values = {name: getattr(saga, name) for name in _FIELDS}
    return values | {"context": Jsonb(dict(saga.context))}


def _saga_or_none(row: DictRow | None) -> Saga | None:
    return _saga(row) if row else None


def _saga(row: DictRow) -> Saga:
    return Saga(**row)
