"""All the SQL that computes the read models."""

from collections.abc import Sequence
from datetime import date, datetime

from crm.analytics.models import HIGH_FROM, MEDIUM_FROM
from crm.db import Connection


async def compute_funnel(conn: Connection) -> None:
    """Count leads by how far they came; a lead that came further passed what lies before."""
    await conn.execute("DELETE FROM analytics_funnel")
    await conn.execute(
        """
        WITH steps (stage, rank) AS (
            VALUES ('inquiry', 1), ('lead', 2), ('applicant', 3), ('admitted', 4), ('enrolled', 5)
        ), furthest AS (
            SELECT l.id, l.source, coalesce(l.programme_code, '') AS programme_code, l.term,
                l.stage, max(s.rank) AS rank
            FROM leads l JOIN lead_stages h ON h.lead_id = l.id
            LEFT JOIN steps s ON s.stage = h.to_stage GROUP BY l.id
        )
        INSERT INTO analytics_funnel (source, programme_code, term, stage, reached, standing)
        SELECT f.source, f.programme_code, f.term, s.stage, count(*),
            count(*) FILTER (WHERE f.stage = s.stage)
        FROM furthest f JOIN steps s ON s.rank <= f.rank GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT source, programme_code, term, 'lost', count(*), count(*)
        FROM furthest WHERE stage = 'lost' GROUP BY 1, 2, 3
        """
    )


async def compute_responses(conn: Connection, days: Sequence[str], *, time_zone: str) -> None:
    """Measure how long people waited for the answers of some days."""
    await conn.execute("DELETE FROM analytics_responses WHERE day = ANY(%s::date[])", [list(days)])
    await conn.execute(
        """
        WITH days AS (
            SELECT d AS day, d::timestamp AT TIME ZONE %(zone)s AS since,
                (d + 1)::timestamp AT TIME ZONE %(zone)s AS until
            FROM unnest(%(days)s::date[]) AS d
        ), waits AS (
            SELECT d.day, 'agent' AS kind, r.latency_ms / 1000.0 AS seconds, false AS late
            FROM days d JOIN runs r ON r.status = 'completed'
                AND r.finished_at >= d.since AND r.finished_at < d.until
            UNION ALL
            SELECT d.day, 'handoff', extract(epoch FROM h.taken_at - h.requested_at), false
            FROM days d JOIN handoffs h ON h.taken_at >= d.since AND h.taken_at < d.until
            UNION ALL
            SELECT d.day, 'lead', extract(epoch FROM c.spent), c.breached_at IS NOT NULL
            FROM days d JOIN sla_clocks c ON c.target = 'first_response'
                AND c.stopped_at >= d.since AND c.stopped_at < d.until
            WHERE c.subject_kind = 'lead'
        )
        INSERT INTO analytics_responses (day, kind, answered, late, median_s, p90_s)
        SELECT day, kind, count(*), count(*) FILTER (WHERE late),
            round(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)),
            round(percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds))
        FROM waits WHERE seconds IS NOT NULL GROUP BY day, kind
        """,
        {"zone": time_zone, "days": list(days)},
    )


async def compute_revenue(conn: Connection, months: Sequence[str], *, time_zone: str) -> None:
    """Add up what the ledger says of some months."""
    await conn.execute(
        "DELETE FROM analytics_revenue WHERE month = ANY(%s::date[])", [list(months)]
    )
    await conn.execute(
        """
        WITH months AS (
            SELECT m AS month, m::timestamp AT TIME ZONE %(zone)s AS since,
                (m + interval '1 month')::timestamp AT TIME ZONE %(zone)s AS until
            FROM unnest(%(months)s::date[]) AS m
        ), moves AS (
            SELECT m.month, p.currency, a.kind, p.amount_minor, t.payment_id
            FROM months m
            JOIN ledger_transactions t ON t.recorded_at >= m.since AND t.recorded_at < m.until
            JOIN ledger_postings p ON p.transaction_id = t.id
            JOIN ledger_accounts a ON a.code = p.account
        ), paid AS (
            SELECT month, currency, kind, amount_minor FROM moves
            WHERE payment_id IS NOT NULL AND kind = 'receivable'
        )
        INSERT INTO analytics_revenue (month, currency, invoiced_minor, taken_minor, returned_minor)
        SELECT m.month, m.currency,
            coalesce(-sum(m.amount_minor) FILTER (WHERE m.kind = 'revenue'), 0),
            coalesce((SELECT -sum(amount_minor) FROM paid p WHERE p.amount_minor < 0
                AND (p.month, p.currency) = (m.month, m.currency)), 0),
            coalesce((SELECT sum(amount_minor) FROM paid p WHERE p.amount_minor > 0
                AND (p.month, p.currency) = (m.month, m.currency)), 0)
        FROM moves m GROUP BY m.month, m.currency
        """,
        {"zone": time_zone, "months": list(months)},
    )


async def compute_receivables(conn: Connection, *, today: date) -> None:
    """Add up what is owed, by how long it has been due."""
    await conn.execute("DELETE FROM analytics_receivables")
    await conn.execute(
        """
        WITH owed AS (
            SELECT i.currency, i.next_due_on, i.net_minor
                - coalesce((SELECT sum(amount_minor) FROM credit_notes WHERE invoice_id = i.id), 0)
                - coalesce((SELECT sum(captured_minor - refunded_minor - refund_pending_minor
                    - lost_minor) FROM payments WHERE invoice_id = i.id), 0) AS amount_minor
            FROM invoices i WHERE i.cancelled_at IS NULL AND i.next_due_on IS NOT NULL
        )
        INSERT INTO analytics_receivables (currency, age, invoices, amount_minor)
        SELECT currency, CASE
            WHEN next_due_on >= %(today)s THEN 'not_due'
            WHEN next_due_on >= %(today)s - 30 THEN 'to_30'
            WHEN next_due_on >= %(today)s - 60 THEN 'to_60'
            WHEN next_due_on >= %(today)s - 90 THEN 'to_90' ELSE 'older' END,
            count(*), sum(amount_minor)
        FROM owed WHERE amount_minor > 0 GROUP BY 1, 2
        """,
        {"today": today},
    )


async def compute_cohorts(conn: Connection, ids: Sequence[str], *, at: datetime) -> None:
    """Count the seats of some cohorts."""
    await conn.execute(
        """
        INSERT INTO analytics_cohorts (cohort_id, cohort_code, course_code, starts_on, seats,
            enrolled, held, waiting)
        SELECT c.id, c.code, c.course_code, c.starts_on, c.seats - c.blocked_seats,
            (SELECT count(*) FROM enrolments WHERE cohort_id = c.id
                AND status IN ('confirmed', 'completed')),
            (SELECT count(*) FROM seat_holds WHERE cohort_id = c.id AND status = 'live'
                AND expires_at > %(at)s),
            (SELECT count(*) FROM waitlist_entries WHERE cohort_id = c.id AND status = 'waiting')
        FROM cohorts c WHERE c.id = ANY(%(ids)s::uuid[])
        ON CONFLICT (cohort_id) DO UPDATE SET cohort_code = excluded.cohort_code,
            course_code = excluded.course_code, starts_on = excluded.starts_on,
            seats = excluded.seats, enrolled = excluded.enrolled, held = excluded.held,
            waiting = excluded.waiting
        """,
        {"ids": list(ids), "at": at},
    )


async def compute_scores(conn: Connection) -> None:
    """Count what became of leads by their latest score."""
    await conn.execute("DELETE FROM analytics_scores")
    await conn.execute(
        """
        WITH latest AS (
            SELECT DISTINCT ON (lead_id) lead_id, score FROM lead_scores
            ORDER BY lead_id, scored_at DESC, id DESC
        )
        INSERT INTO analytics_scores (band, leads, enrolled, lost)
        SELECT CASE WHEN s.score IS NULL THEN 'unscored' WHEN s.score < %(medium)s THEN 'low'
            WHEN s.score < %(high)s THEN 'medium' ELSE 'high' END,
            count(*), count(*) FILTER (WHERE l.stage = 'enrolled'),
            count(*) FILTER (WHERE l.stage = 'lost')
        FROM leads l LEFT JOIN latest s ON s.lead_id = l.id GROUP BY 1
        """,
        {"medium": MEDIUM_FROM, "high": HIGH_FROM},
    )
