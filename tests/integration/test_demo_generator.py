"""Made-up students: as many as asked for, the same for the same seed, within every rule."""

import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import phonenumbers
import psycopg
import pytest

from api.bootstrap import Services, open_services
from api.demo.generator import GeneratorSummary, generate
from api.demo.loader import load_demo
from api.settings import Settings
from crm.actor import SERVICE_ACTOR
from crm.clock import FixedClock
from crm.db import Connection, UnitOfWork
from crm.errors import RuleBroken
from crm.payments.ledger import store as ledger
from crm.payments.ledger.replay import rebuild_ledger, rebuild_payments

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
STUDENTS = 500


@asynccontextmanager
async def _open(database_url: str, redis_url: str) -> AsyncIterator[Services]:
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        master_key=base64.b64encode(bytes(32)).decode(),
        embedder="none",
    )
    async with open_services(settings, clock=FixedClock(NOW)) as services:
        await load_demo(services, report=_silent)
        yield services


def _silent(label: str, done: int, total: int) -> None:
    assert done <= total, label


@pytest.fixture(scope="module")
async def services(database_url: str, redis_url: str) -> AsyncIterator[Services]:
    async with _open(database_url, redis_url) as services:
        yield services


@pytest.fixture(scope="module")
async def first(services: Services) -> GeneratorSummary:
    return await generate(services, students=STUDENTS, seed=7, report=_silent)


async def _number(services: Services, sql: str, *values: object) -> int:
    async with services.database.read() as conn:
        rows = await conn.execute(f"SELECT ({sql}) AS n", list(values))
        row = await rows.fetchone()
    assert row is not None
    return int(row["n"])


async def test_as_many_as_asked_for_with_histories(
    services: Services, first: GeneratorSummary
) -> None:
    assert first.students == STUDENTS
    assert 2.5 <= first.conversations / STUDENTS <= 3.5
    assert 5 <= first.messages / first.conversations <= 7
    made = await _number(
        services, "SELECT count(*) FROM people WHERE email ~ '\\.7@correo\\.example$'"
    )
    assert made == STUDENTS
    assert await _number(services, "SELECT count(*) FROM messages") == first.messages
    assert 0.2 <= first.tickets / STUDENTS <= 0.4
    assert first.enrolments > STUDENTS / 3


async def test_second_run_adds_nothing_and_a_larger_one_the_rest(
    services: Services, first: GeneratorSummary
) -> None:
    again = await generate(services, students=STUDENTS, seed=7, report=_silent)
    fewer = await generate(services, students=100, seed=7, report=_silent)
    more = await generate(services, students=STUDENTS + 25, seed=7, report=_silent)
    assert (again, fewer) == (GeneratorSummary(), GeneratorSummary())
    assert more.students == 25


async def test_another_seed_adds_other_students_with_addresses_of_their_own(
    services: Services, first: GeneratorSummary
) -> None:
    other = await generate(services, students=50, seed=8, report=_silent)
    assert other.students == 50
    doubled = """
        SELECT count(*) FROM (
            SELECT phone FROM people WHERE phone IS NOT NULL GROUP BY phone HAVING count(*) > 1
        ) AS p
    """
    assert await _number(services, doubled) == 0


async def test_same_seed_makes_the_same_students_in_another_database(
    services: Services, first: GeneratorSummary, postgres_url: str, redis_url: str
) -> None:
    name = f"orienta_test_{secrets.token_hex(6)}"
    server = postgres_url.rpartition("/")[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE orienta_template")
    try:
        async with _open(f"{server}/{name}", redis_url) as elsewhere:
            await generate(elsewhere, students=60, seed=7, report=_silent)
            twins = [await _digest(s, students=60) for s in (services, elsewhere)]
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert twins[0] == twins[1]


async def _digest(services: Services, *, students: int) -> list[tuple[object, ...]]:
    async with services.database.read() as conn:
        rows = await conn.execute(
            """
            SELECT p.id, p.full_name, p.email, p.phone, p.birth_date, (
                SELECT md5(string_agg(m.id || m.body || m.created_at, '|' ORDER BY m.id))
                FROM conversations c JOIN messages m ON m.conversation_id = c.id
                WHERE c.person_id = p.id
            ) AS history FROM people p
            WHERE p.email ~ '\\.7@correo\\.example$' ORDER BY p.id LIMIT %s
            """,
            [students],
        )
        return [tuple(r.values()) for r in await rows.fetchall()]


async def test_enrolments_leave_seats_and_prerequisites_hold(
    services: Services, first: GeneratorSummary
) -> None:
    cursor, seen = None, 0
    while True:
        page = await services.courses.list_cohorts(cursor=cursor, limit=200)
        for cohort in page.items:
            assert cohort.seats_taken + cohort.blocked_seats <= cohort.seats, cohort.code
        seen, cursor = seen + len(page.items), page.next_cursor
        if cursor is None:
            break
    assert seen > first.cohorts
    missing = """
        SELECT count(*) FROM enrolments e JOIN cohorts c ON c.id = e.cohort_id
        JOIN course_prerequisites p ON p.course_code = c.course_code
        JOIN people s ON s.id = e.person_id AND s.email ~ '\\.7@'
        WHERE NOT EXISTS (
            SELECT 1 FROM enrolments d JOIN cohorts b ON b.id = d.cohort_id
            WHERE d.person_id = e.person_id AND b.course_code = p.prerequisite_code
                AND d.status = 'completed'
        )
    """
    assert await _number(services, missing) == 0


async def test_minors_have_a_guardian_of_age_who_gave_their_consents(
    services: Services, first: GeneratorSummary
) -> None:
    made, minors = (
        f"SELECT count(*) FROM people p WHERE {where}"
        for where in (
            "email ~ '\\.7@' AND birth_date > '2008-11-24'",
            "birth_date > '2008-11-24' AND EXISTS (SELECT 1 FROM people g "
            "WHERE g.id = p.guardian_id AND g.birth_date <= '2008-11-24') AND email ~ '\\.7@'",
        )
    )
    assert await _number(services, made) == await _number(services, minors) >= STUDENTS // 50
    alone = """
        SELECT count(*) FROM consents c JOIN people p ON p.id = c.person_id
        WHERE c.guardian_id IS DISTINCT FROM p.guardian_id AND p.email ~ '\\.7@'
    """
    assert await _number(services, alone) == 0


async def test_histories_are_plausible(services: Services, first: GeneratorSummary) -> None:
    broken = {
        "messages outside their conversation": """
            SELECT count(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id
            WHERE m.created_at NOT BETWEEN c.created_at AND c.last_message_at
        """,
        "conversations before the person or in the future": """
            SELECT count(*) FROM conversations c JOIN people p ON p.id = c.person_id
            WHERE c.created_at < p.created_at OR c.last_message_at > '2026-11-24 15:00Z'
        """,
        "conversations of other than 2 to 10 messages": """
            SELECT count(*) FROM (SELECT count(*) AS n FROM messages GROUP BY conversation_id) AS c
            WHERE n NOT BETWEEN 2 AND 10
        """,
        "messages out of order": """
            SELECT count(*) FROM (SELECT created_at < lag(created_at)
                OVER (PARTITION BY conversation_id ORDER BY ordinal) AS back FROM messages) AS m
            WHERE back
        """,
        "student messages that wait for an answer": """
            SELECT count(*) FROM messages WHERE role = 'student' AND answered_by IS NULL
        """,
        "placeholders": "SELECT count(*) FROM messages WHERE body LIKE '%%{%%'",
        "waiting or taken conversations without their hand-off": """
            SELECT count(*) FROM conversations c WHERE (status IN ('waiting', 'advisor')) <> EXISTS
                (SELECT 1 FROM handoffs h WHERE h.conversation_id = c.id AND released_at IS NULL
                    AND h.staff_id IS NOT DISTINCT FROM c.staff_id)
        """,
        "tickets whose history ends elsewhere": """
            SELECT count(*) FROM tickets t JOIN people p ON p.id = t.person_id AND p.email ~ '\\.7@'
            WHERE t.status <> (SELECT to_value FROM ticket_events e WHERE e.ticket_id = t.id
                AND kind <> 'assigned' ORDER BY created_at DESC, id DESC LIMIT 1)
        """,
        "enrolments before the person was known": """
            SELECT count(*) FROM enrolments e JOIN people p ON p.id = e.person_id
            WHERE e.confirmed_at < p.created_at
        """,
    }
    for what, sql in broken.items():
        assert await _number(services, sql) == 0, what


async def test_people_are_visibly_made_up_and_their_phones_valid(
    services: Services, first: GeneratorSummary
) -> None:
    page = await services.people.list_people(cursor=None, limit=200, actor=SERVICE_ACTOR)
    assert all((p.email or "").endswith("@correo.example") for p in page.items)
    phones = [p.phone for p in page.items if p.phone]
    assert len(phones) > 30
    for phone in phones:
        assert phone[-7:-2] == "55501"
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone))


async def test_leads_fit_what_students_did(services: Services, first: GeneratorSummary) -> None:
    assert first.leads >= STUDENTS
    assert first.activities == 10 * STUDENTS
    assert first.tasks > STUDENTS / 10
    broken = {
        "leads whose history ends elsewhere": """
            SELECT count(*) FROM leads l WHERE (stage, stage_since, version) IS DISTINCT FROM (
                SELECT (s.to_stage, s.occurred_at, (SELECT count(*) FROM lead_stages n
                    WHERE n.lead_id = l.id)::int)
                FROM lead_stages s WHERE s.lead_id = l.id
                ORDER BY occurred_at DESC, id DESC LIMIT 1)
        """,
        "steps that do not follow": """
            SELECT count(*) FROM (SELECT from_stage, lag(to_stage)
                OVER (PARTITION BY lead_id ORDER BY occurred_at, id) AS before
                FROM lead_stages) AS s
            WHERE from_stage IS DISTINCT FROM before
        """,
        "enrolments without their lead": """
            SELECT count(*) FROM enrolments e JOIN cohorts c ON c.id = e.cohort_id
            JOIN people p ON p.id = e.person_id AND p.email ~ '\\.7@'
            WHERE NOT EXISTS (SELECT 1 FROM leads l WHERE l.person_id = e.person_id
                AND l.course_code = c.course_code AND l.stage = 'enrolled')
        """,
        "activities before the person or their lead": """
            SELECT count(*) FROM activities a JOIN people p ON p.id = a.person_id
            LEFT JOIN leads l ON l.id = a.lead_id
            WHERE a.occurred_at < greatest(p.created_at, l.created_at)
                OR a.occurred_at > '2026-11-24 15:00Z'
                OR l.last_activity_at < a.occurred_at
        """,
        "people on the waitlist of cohorts with a free seat": """
            SELECT count(*) FROM waitlist_entries w JOIN cohorts c ON c.id = w.cohort_id
            WHERE c.seats - c.blocked_seats > (SELECT count(*) FROM enrolments e
                WHERE e.cohort_id = c.id AND e.status IN ('confirmed', 'completed'))
        """,
    }
    for what, sql in broken.items():
        assert await _number(services, sql) == 0, what
    assert first.waiting > 0


async def test_invoices_are_paid_late_and_refunded_as_happens(
    services: Services, first: GeneratorSummary
) -> None:
    assert first.invoices == first.enrolments
    uninvoiced = """
        SELECT count(*) FROM enrolments e JOIN people p ON p.id = e.person_id AND p.email ~ '\\.7@'
        WHERE NOT EXISTS (SELECT 1 FROM invoices WHERE reference = 'enrolment:' || e.id)
    """
    assert await _number(services, uninvoiced) == 0
    for what in (
        "invoices WHERE next_due_on < '2026-11-24'",
        "invoices WHERE cancelled_at IS NOT NULL",
        "payments WHERE status = 'refunded'",
        "payments WHERE status = 'completed' AND gateway = 'transfer'",
        "refunds WHERE status = 'done'",
    ):
        assert await _number(services, f"SELECT count(*) FROM {what}") > 0, what


async def test_books_agree_with_what_happened(services: Services, first: GeneratorSummary) -> None:
    database = services.database
    async with database.read() as conn, conn.transaction(force_rollback=True):
        uow = UnitOfWork(conn, database.clock, database.vault)
        assert await rebuild_ledger(uow) == 0
        before = await ledger.select_balances(conn), await _lists(conn)
        tables = ("ledger_postings", "ledger_transactions")
        for table in tables:
            await conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            await conn.execute(f"DELETE FROM {table}")
        for table in tables:
            await conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        assert await rebuild_ledger(uow) > first.invoices
        await rebuild_payments(uow)
        assert (await ledger.select_balances(conn), await _lists(conn)) == before


async def _lists(conn: Connection) -> list[object]:
    queries = (
        "SELECT id, status, captured_minor, refunded_minor, version FROM payments ORDER BY id",
        "SELECT id, status FROM refunds ORDER BY id",
        "SELECT id, next_due_on FROM invoices ORDER BY id",
    )
    return [await (await conn.execute(query)).fetchall() for query in queries]


async def test_applications_for_scholarships_can_be_read(
    services: Services, first: GeneratorSummary
) -> None:
    page = await services.fees.applications.list_applications(actor=SERVICE_ACTOR)
    assert len(page.items) >= first.applications > 0
    read = await services.fees.applications.get_application(page.items[0].id, actor=SERVICE_ACTOR)
    assert read.statement


async def test_generating_publishes_no_events_and_audits_each_batch(
    services: Services, first: GeneratorSummary
) -> None:
    records = "SELECT count(*) FROM audit_events WHERE action = 'demo.generate'"
    events = "SELECT count(*) FROM outbox"
    before = (await _number(services, records), await _number(services, events))
    await generate(services, students=30, seed=9, report=_silent)
    after = (await _number(services, records), await _number(services, events))
    assert after == (before[0] + 1, before[1])


@pytest.mark.parametrize(
    ("students", "seed", "code"),
    [(0, 7, "students"), (10**7, 7, "students"), (10, -1, "seed"), (10, 2**40, "seed")],
)
async def test_impossible_wishes_are_refused(
    services: Services, students: int, seed: int, code: str
) -> None:
    with pytest.raises(RuleBroken, match=rf"demo\.{code}"):
        await generate(services, students=students, seed=seed, report=_silent)
