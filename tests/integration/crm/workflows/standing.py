"""How enrolments in a cohort stand, and what must never be, or not be at the end: each a query."""

from __future__ import annotations

_MADE = """
    sagas s JOIN payments p ON p.invoice_id = s.invoice_id
        LEFT JOIN sandbox_checkouts c ON c.payment_id = p.id
    WHERE s.cohort_id = %s AND s.kind = 'enrolment'
"""
CHECKOUTS = f"SELECT c.id, c.status, s.id AS saga FROM {_MADE} AND c.id IS NOT NULL ORDER BY p.id"
PAYMENTS = (
    "SELECT p.id, p.status, p.captured_minor, p.refunded_minor, p.refund_pending_minor "
    f"FROM {_MADE} ORDER BY p.id"
)
SAGAS = """
    SELECT id, kind, status, step, invoice_id, enrolment_id, failure, parked_at FROM sagas
    WHERE cohort_id = %s ORDER BY id
"""
STEPS_TAKEN = """
    SELECT t.saga_id, t.step, t.outcome, t.code, count(*) FROM saga_steps t
        JOIN sagas s ON s.id = t.saga_id
    WHERE s.cohort_id = %s AND t.outcome IN ('done', 'failed', 'parked')
    GROUP BY t.saga_id, t.step, t.outcome, t.code ORDER BY 1, 2, 3, 4
"""
BOOKS = "SELECT account, currency, sum(amount_minor) FROM ledger_postings GROUP BY 1, 2 ORDER BY 1"
SEATS = "SELECT id, status FROM seat_holds WHERE cohort_id = %s ORDER BY id"
NOTICES = """
    SELECT m.effect_key FROM outbound_messages m JOIN sagas s
        ON m.effect_key LIKE 'saga:' || s.id || ':%%'
    WHERE s.cohort_id = %s ORDER BY 1
"""
_GIVEN = """
    (SELECT COALESCE(sum(r.amount_minor), 0) FROM sandbox_refunds r
    WHERE r.checkout_id = c.id AND r.status <> 'failed')
"""
_ENROLLED = (
    "EXISTS (SELECT FROM enrolments e WHERE e.hold_id = s.hold_id AND e.status = 'confirmed')"
)
NEVER = {
    "two payments of one enrolment": (
        f"SELECT s.id FROM {_MADE} GROUP BY s.id HAVING count(*) > 1"
    ),
    "more captured than was asked": (
        f"SELECT p.id FROM {_MADE} AND p.captured_minor > p.amount_minor"
    ),
    "captured and not paid": (
        f"SELECT p.id FROM {_MADE} AND p.captured_minor > 0 AND c.status IS DISTINCT FROM 'paid'"
    ),
    "more given back by the gateway than was paid": (
        f"SELECT p.id FROM {_MADE} AND c.amount_minor < {_GIVEN}"
    ),
    "a seat twice": """
        SELECT c.id FROM cohorts c WHERE c.id = %s AND c.seats < (
            SELECT count(*) FROM enrolments WHERE cohort_id = c.id AND status = 'confirmed') + (
            SELECT count(*) FROM seat_holds WHERE cohort_id = c.id AND status = 'live')""",
    "books out of balance": """
        SELECT currency FROM ledger_postings GROUP BY currency HAVING sum(amount_minor) <> 0""",
    "two sagas of one start": """
        SELECT effect_key FROM sagas WHERE cohort_id = %s GROUP BY 1 HAVING count(*) > 1""",
    "enrolled without having paid": f"""
        SELECT s.id FROM sagas s WHERE s.cohort_id = %s AND s.kind = 'enrolment'
            AND {_ENROLLED} AND (s.context ->> 'net_minor')::bigint > 0 AND NOT EXISTS (
                SELECT FROM payments p WHERE p.invoice_id = s.invoice_id
                    AND p.captured_minor = p.amount_minor)""",
    "told that one is enrolled who never was": """
        SELECT s.id FROM sagas s JOIN outbound_messages m
            ON m.effect_key = 'saga:' || s.id || ':enrolment_confirmed'
        WHERE s.cohort_id = %s AND NOT EXISTS (
            SELECT FROM enrolments e WHERE e.hold_id = s.hold_id)""",
    "told twice": """
        SELECT m.effect_key FROM outbound_messages m JOIN sagas s
            ON m.effect_key LIKE 'saga:' || s.id || ':%%'
        WHERE s.cohort_id = %s GROUP BY 1 HAVING count(*) > 1""",
    "an event that its handler could not take": """
        SELECT event_id FROM deliveries WHERE attempts > 3""",
}
AT_THE_END = {
    "not ended": """
        SELECT id, status, step, last_error FROM sagas WHERE cohort_id = %s
            AND (status NOT IN ('completed', 'compensated') OR parked_at IS NOT NULL)""",
    "completed without an enrolment": """
        SELECT s.id FROM sagas s WHERE s.cohort_id = %s AND s.kind = 'enrolment'
            AND status = 'completed'
            AND NOT EXISTS (SELECT FROM enrolments e WHERE e.hold_id = s.hold_id)""",
    "undone and still enrolled": f"""
        SELECT s.id FROM sagas s WHERE s.cohort_id = %s AND s.kind = 'enrolment'
            AND status = 'compensated' AND {_ENROLLED}""",
    "undone and not given back, by the gateway": (
        f"SELECT s.id FROM {_MADE} AND s.status = 'compensated' AND c.status = 'paid' "
        f"AND c.amount_minor <> {_GIVEN}"
    ),
    "paid and not entered": (
        f"SELECT p.id FROM {_MADE} AND c.status = 'paid' AND p.captured_minor <> c.amount_minor"
    ),
    "given back and not entered, or the reverse": (
        f"SELECT p.id FROM {_MADE} AND p.refunded_minor <> {_GIVEN}"
    ),
    "a seat held by nobody": """
        SELECT id FROM seat_holds WHERE cohort_id = %s AND status = 'live'""",
    "a price that nobody pays still taken": """
        SELECT q.id FROM quotes q JOIN sagas s ON q.id::text = s.context ->> 'quote_id'
        WHERE s.cohort_id = %s AND s.status = 'compensated' AND q.status IN ('live', 'accepted')""",
    "not told how it ended": """
        SELECT s.id FROM sagas s WHERE s.cohort_id = %s AND NOT EXISTS (
            SELECT FROM outbound_messages m WHERE m.effect_key = 'saga:' || s.id || ':'
                || CASE WHEN s.kind = 'withdrawal' THEN 'withdrawal_done'
                    WHEN s.status = 'completed' THEN 'enrolment_confirmed'
                    ELSE 'enrolment_undone' END)""",
}
