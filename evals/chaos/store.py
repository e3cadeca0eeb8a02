"""The SQL by which an experiment judges what is left: our tables against the gateway's own."""

from collections import Counter
from collections.abc import Sequence

from crm.db import Connection

#: What must be zero at the end.
FINDINGS = {
    "sagas not ended": """
        SELECT count(*) FROM sagas WHERE status NOT IN ('completed', 'compensated')""",
    "sagas stuck": "SELECT count(*) FROM sagas WHERE parked_at IS NOT NULL",
    "completed without having been enrolled": """
        SELECT count(*) FROM sagas s WHERE kind = 'enrolment' AND status = 'completed'
            AND NOT EXISTS (SELECT FROM enrolments e WHERE e.hold_id = s.hold_id)""",
    "enrolled without having paid": """
        SELECT count(*) FROM sagas s JOIN enrolments e ON e.hold_id = s.hold_id
        WHERE s.kind = 'enrolment' AND e.status = 'confirmed' AND NOT EXISTS (
            SELECT FROM payments p WHERE p.invoice_id = s.invoice_id
                AND p.captured_minor - p.refunded_minor = p.amount_minor)""",
    "undone and still enrolled": """
        SELECT count(*) FROM sagas s JOIN enrolments e ON e.hold_id = s.hold_id
        WHERE s.kind = 'enrolment' AND s.status = 'compensated' AND e.status = 'confirmed'""",
    "undone and not refunded, by the gateway": """
        SELECT count(*) FROM sagas s JOIN payments p ON p.invoice_id = s.invoice_id
            JOIN sandbox_checkouts c ON c.payment_id = p.id AND c.status = 'paid'
        WHERE s.kind = 'enrolment' AND s.status = 'compensated' AND c.amount_minor <> (
            SELECT COALESCE(sum(r.amount_minor), 0) FROM sandbox_refunds r
            WHERE r.checkout_id = c.id AND r.status = 'done')""",
    "charged twice, by the gateway": """
        SELECT count(*) FROM (
            SELECT s.id FROM sagas s JOIN payments p ON p.invoice_id = s.invoice_id
                JOIN sandbox_checkouts c ON c.payment_id = p.id AND c.status = 'paid'
                JOIN sandbox_events e ON e.checkout_id = c.id AND e.kind = 'completed'
            WHERE s.kind = 'enrolment' GROUP BY s.id HAVING count(*) > 1) twice""",
    "paid at the gateway and not entered in full": """
        SELECT count(*) FROM sandbox_checkouts c LEFT JOIN payments p ON p.id = c.payment_id
        WHERE c.status = 'paid' AND p.captured_minor IS DISTINCT FROM c.amount_minor""",
    "entered and not paid at the gateway": """
        SELECT count(*) FROM payments p JOIN sandbox_checkouts c ON c.payment_id = p.id
        WHERE c.status <> 'paid' AND p.captured_minor > 0""",
    "refunded at the gateway and not entered, or the reverse": """
        SELECT count(*) FROM payments p JOIN sandbox_checkouts c ON c.payment_id = p.id
        WHERE p.refunded_minor <> (SELECT COALESCE(sum(r.amount_minor), 0) FROM sandbox_refunds r
            WHERE r.checkout_id = c.id AND r.status = 'done')""",
    "refused, or never paid, and still charged or enrolled": """
        SELECT count(*) FROM sagas s JOIN payments p ON p.invoice_id = s.invoice_id
            JOIN sandbox_checkouts c ON c.payment_id = p.id
        WHERE s.kind = 'enrolment' AND c.status <> 'paid'
            AND (s.status <> 'compensated' OR p.captured_minor > 0)""",
    "refunded more than charged, by the gateway": """
        SELECT count(*) FROM sandbox_checkouts c WHERE amount_minor < (
            SELECT COALESCE(sum(r.amount_minor), 0) FROM sandbox_refunds r
            WHERE r.checkout_id = c.id AND r.status <> 'failed')""",
    "seats held by nobody": """
        SELECT count(*) FROM seat_holds h WHERE status = 'live' AND NOT EXISTS (
            SELECT FROM sagas s WHERE s.hold_id = h.id AND s.status = 'running')""",
    "holds that outlived their time": """
        SELECT count(*) FROM seat_holds WHERE status = 'live'
            AND expires_at < now() - interval '1 minute'""",
    "cohorts overfull": """
        SELECT count(*) FROM cohorts c WHERE seats - blocked_seats < (
            SELECT count(*) FROM enrolments e WHERE e.cohort_id = c.id
                AND e.status IN ('confirmed', 'completed')) + (
            SELECT count(*) FROM seat_holds h WHERE h.cohort_id = c.id AND h.status = 'live')""",
    "not told once how it ended": """
        SELECT count(*) FROM sagas s WHERE kind = 'enrolment' AND 1 <> (
            SELECT count(*) FROM outbound_messages m WHERE m.effect_key = 'saga:' || s.id
                || CASE s.status WHEN 'completed' THEN ':enrolment_confirmed'
                    ELSE ':enrolment_undone' END)""",
    "sagas whose start or end is not in the audit once": """
        SELECT abs((SELECT count(*) FROM audit_events WHERE outcome = 'ok' AND action IN
                ('saga.start', 'saga.completed', 'saga.compensated'))
            - (SELECT count(*) FROM sagas)
            - (SELECT count(*) FROM sagas WHERE status IN ('completed', 'compensated')))""",
    "events given up": """
        SELECT (SELECT count(*) FROM deliveries WHERE dead_at IS NOT NULL)
            + (SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL)""",
    "webhooks given up, or of nothing we know": """
        SELECT (SELECT count(*) FROM sandbox_deliveries WHERE status = 'dead')
            + (SELECT count(*) FROM gateway_dead_notes)""",
    "ledger out of balance": """
        SELECT count(*) FROM (SELECT currency FROM ledger_postings GROUP BY currency
            HAVING sum(amount_minor) <> 0) wrong""",
    "difference between ledger and gateway": """
        SELECT abs(
            (SELECT COALESCE(sum(p.amount_minor), 0) FROM ledger_postings p
                JOIN ledger_accounts a ON a.code = p.account WHERE a.kind = 'clearing')
            - (SELECT COALESCE(sum(amount_minor), 0) FROM sandbox_checkouts WHERE status = 'paid')
            + (SELECT COALESCE(sum(amount_minor), 0) FROM sandbox_refunds WHERE status = 'done')
        )::bigint AS count""",
}
_HEARD_LATE = """
    SELECT count(*) FROM sagas s JOIN seat_holds h ON h.id = s.hold_id
    JOIN payments p ON p.invoice_id = s.invoice_id
    JOIN payment_events e ON e.payment_id = p.id AND e.kind = 'completed'
    WHERE s.kind = 'enrolment' AND e.recorded_at > h.expires_at"""
COUNTS = {
    "enrolled": "SELECT count(*) FROM sagas WHERE kind = 'enrolment' AND status = 'completed'",
    "undone": "SELECT count(*) FROM sagas WHERE kind = 'enrolment' AND status = 'compensated'",
    "withdrawn": "SELECT count(*) FROM sagas WHERE kind = 'withdrawal' AND status = 'completed'",
    "charges": "SELECT count(*) FROM sandbox_checkouts WHERE status = 'paid'",
    "refunds": "SELECT count(*) FROM sandbox_refunds WHERE status = 'done'",
    "payments refused": "SELECT count(*) FROM sandbox_checkouts WHERE status = 'declined'",
    "checkouts that nobody paid in time": """
        SELECT count(*) FROM sandbox_checkouts WHERE status = 'expired'""",
    "holds that expired": "SELECT count(*) FROM seat_holds WHERE status = 'expired'",
    "payments heard of after their hold had ended": _HEARD_LATE,
    "of these, enrolled on a free seat": f"{_HEARD_LATE} AND s.status = 'completed'",
    "webhooks delivered": "SELECT count(*) FROM sandbox_deliveries WHERE status = 'delivered'",
    "webhooks dropped": "SELECT count(*) FROM sandbox_deliveries WHERE status = 'dropped'",
    "webhooks that were copies": """
        SELECT count(*) - count(DISTINCT event_id) FROM sandbox_deliveries
        WHERE status <> 'dropped'""",
    "webhooks tried again": """
        SELECT COALESCE(sum(attempts - 1), 0)::bigint AS count FROM sandbox_deliveries
        WHERE attempts > 1""",
    "gateway calls tried again": """
        SELECT COALESCE(sum(attempts - 1), 0)::bigint AS count FROM sandbox_calls""",
}
_OPEN = """
    SELECT (SELECT count(*) FROM sagas WHERE parked_at IS NULL
            AND status NOT IN ('completed', 'compensated'))
        + (SELECT count(*) FROM refunds WHERE status = 'pending')
        + (SELECT count(*) FROM sandbox_deliveries WHERE status = 'pending') AS count
"""


async def count_all(conn: Connection, queries: dict[str, str]) -> dict[str, int]:
    """Return what each query counts."""
    return {name: await _count(conn, query) for name, query in queries.items()}


async def count_ends(conn: Connection, saga_ids: Sequence[str]) -> Counter[str]:
    """Return how many of some sagas ended how."""
    rows = await conn.execute(
        "SELECT status, count(*) FROM sagas WHERE id = ANY(%s::uuid[]) GROUP BY status",
        [list(saga_ids)],
    )
    return Counter({row["status"]: row["count"] for row in await rows.fetchall()})


async def count_open(conn: Connection) -> int:
    """Return how much is still under way."""
    return await _count(conn, _OPEN)


async def _count(conn: Connection, query: str) -> int:
    rows = await conn.execute(query.encode())
    row = await rows.fetchone()
    return int(next(iter(row.values()))) if row else 0
