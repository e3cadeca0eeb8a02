"""What leaves as a file comes back as one."""

import csv
import io

import pytest

from crm.actor import SERVICE_ACTOR, Actor, Role
from crm.clock import FixedClock
from crm.db import Database, Pool
from crm.errors import Denied
from crm.exports.cells import cell_of
from crm.exports.service import ExportService
from crm.ids import SubjectId, new_id
from crm.journal.vault import Vault
from tests.rows import Rows


class Desk(Rows):
    def __init__(self, database: Database) -> None:
        self.database = database
        self.exports = ExportService(database)

    async def rows(self, kind: str) -> list[dict[str, str]]:
        text = io.StringIO()
        stream = self.exports.stream(kind, actor=SERVICE_ACTOR)  # type: ignore[arg-type]
        async for rows in stream:
            csv.writer(text).writerows(rows)
        return list(csv.DictReader(io.StringIO(text.getvalue())))


@pytest.fixture
def desk(pool: Pool, clock: FixedClock) -> Desk:
    return Desk(Database(pool, clock, Vault(bytes(32))))


async def test_everybody_is_in_the_file_once_and_each_stretch_is_noted(desk: Desk) -> None:
    await desk.execute(
        "INSERT INTO people (id, full_name, email, phone, locale, time_zone, status, created_at, "
        "updated_at) SELECT uuidv7(), '=cmd ' || n, 'p' || n || '@export.pe', "
        "'+5190000' || lpad(n::text, 4, '0'), 'es', 'America/Lima', 'active', now(), now() "
        "FROM generate_series(1, 2500) AS n"
    )
    rows = await desk.rows("people")
    assert len({row["email"] for row in rows}) == len(rows) == 2_500
    assert rows[0]["full_name"].startswith("'=cmd")
    assert rows[0]["phone"].startswith("+51")
    assert await desk.count("SELECT count(*) FROM audit_events WHERE action = 'export.people'") == 4


async def test_advisors_take_nothing_away(desk: Desk) -> None:
    advisor = Actor(SubjectId(new_id()), role=Role.ADVISOR)
    with pytest.raises(Denied):
        await anext(desk.exports.stream("people", actor=advisor))


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "yes"),
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2", "'-2"),
        ("+51987654321", "+51987654321"),
        ("+51987654321*cmd", "'+51987654321*cmd"),
        ("José", "José"),
    ],
)
def test_no_cell_is_a_formula(value: object, cell: str) -> None:
    assert cell_of(value) == cell
