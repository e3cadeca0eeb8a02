"""Examples of what there is, to ask for."""

from crm.db import Connection

_QUERIES = {
    "person": """
        SELECT p.id AS person_id, split_part(p.full_name, ' ', 1) AS query
        FROM people p JOIN invoices i ON i.person_id = p.id JOIN tickets t ON t.person_id = p.id
        ORDER BY p.id LIMIT 1
    """,
    "lead": """
        SELECT id AS lead_id, staff_id, term FROM leads
        WHERE staff_id IS NOT NULL ORDER BY id LIMIT 1
    """,
    "programme": "SELECT programme_code FROM leads WHERE programme_code IS NOT NULL LIMIT 1",
    "task": "SELECT id AS task_id FROM tasks ORDER BY id LIMIT 1",
    "ticket": "SELECT id AS ticket_id FROM tickets ORDER BY id LIMIT 1",
    "enrolment": """
        SELECT e.id AS enrolment_id, c.code AS cohort, c.id AS cohort_id, c.course_code AS course
        FROM enrolments e JOIN cohorts c ON c.id = e.cohort_id ORDER BY e.id LIMIT 1
    """,
    "payment": "SELECT id AS payment_id, invoice_id, gateway FROM payments ORDER BY id LIMIT 1",
    "conversation": "SELECT id AS conversation_id FROM conversations ORDER BY id LIMIT 1",
    "document": "SELECT id AS document_id FROM search_documents WHERE id LIKE 'kb:%' LIMIT 1",
    "application": """
        SELECT id AS application_id, scholarship_code AS scholarship
        FROM scholarship_applications ORDER BY id LIMIT 1
    """,
}


async def select_samples(conn: Connection) -> dict[str, str]:
    """Return values of parameters by their names."""
    found: dict[str, str] = {}
    for query in _QUERIES.values():
        row = await (await conn.execute(query)).fetchone()
        found |= {name: str(value) for name, value in (row or {}).items()}
    return found


async def select_large_tables(conn: Connection, *, rows: int) -> list[str]:
    """Return the tables that the planner believes to hold at least so many rows."""
    found = await conn.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples >= %s "
        "AND relnamespace = 'public'::regnamespace ORDER BY relname",
        [rows],
    )
    return [row["relname"] for row in await found.fetchall()]
