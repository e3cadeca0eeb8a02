"""A worker that dies in the middle of an effect: its task runs again, the effect is there once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from api.bootstrap import Services, open_services
from api.relay import relay_batch, run_deliveries
from api.worker.app import create_worker
from crm.actor import SERVICE_ACTOR
from crm.ids import new_id
from crm.payments.gateways.sandbox import store as sandbox
from crm.people.models import CreatePerson
from crm.workflows.enrolment.models import StartEnrolment
from tests.demo_database import environment, settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from crm.workflows.models import Saga

ROOT = Path(__file__).parents[2]
DEADLINE_S = 120
#: Longer than any test here: what comes back did not come back because of this.
LONG_S = 3_600


@pytest.fixture(scope="module")
async def services(demo_database_url: str, redis_url: str) -> AsyncIterator[Services]:
    settings = settings_of(demo_database_url, redis_url)
    async with open_services(settings) as opened:
        yield opened


@contextmanager
def working(services: Services, tmp_path: Path, **how: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker for the length of a block, whether it lives so long or not."""
    settings = services.settings
    plain = environment(str(settings.database_url), str(settings.redis_url), embedder="none")
    with (tmp_path / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.dying_worker"],
            cwd=ROOT,
            env=os.environ | plain | {"NOTES": str(tmp_path / "notes"), **how},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        sys.stdout.write((tmp_path / "worker.log").read_text())  # shown when the test failed


async def paid_enrolment(services: Services) -> Saga:
    """Let somebody pay for a seat; the worker is to confirm it."""
    person = await services.people.create_person(
        CreatePerson(full_name="Ana Prueba", email=f"{new_id()}@example.com"), actor=SERVICE_ACTOR
    )
    page = await services.courses.list_cohorts(open_only=True, limit=50)
    cohort = next(c for c in page.items if c.seats_left and c.course_code.endswith("101"))
    command = StartEnrolment(person_id=person.id, cohort_id=cohort.id)
    saga = await services.workflows.start_enrolment(command, actor=SERVICE_ACTOR)
    await services.payments.run_due()
    _, _, payment = await services.workflows.get_saga(saga.id, actor=SERVICE_ACTOR)
    assert payment is not None
    assert payment.gateway_ref is not None
    await services.tills.require_sandbox().desk.decide(payment.gateway_ref, "pay")
    async with services.database.read() as conn:
        events = await sandbox.select_events(conn, payment.gateway_ref)
    for event in events:
        await services.payments.receive(event.as_event())
    while await relay_batch(services):
        pass
    return saga


def send_task(services: Services) -> None:
    create_worker(str(services.settings.redis_url)).send_task("orienta.advance_sagas")


async def until_completed(services: Services, saga: Saga) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        now, *_ = await services.workflows.get_saga(saga.id, actor=SERVICE_ACTOR)
        if now.status == "completed":
            return
    raise AssertionError("nobody took the task up again")


async def assert_once(services: Services, saga: Saga) -> None:
    """One seat, one record of it, one step, one notice."""
    for sql in (
        "SELECT count(*) FROM enrolments WHERE hold_id = %(hold)s",
        "SELECT count(*) FROM audit_events WHERE action = 'enrolment.confirm' AND outcome = 'ok' "
        "AND subject_id = %(person)s",
        "SELECT count(*) FROM audit_events WHERE action = 'saga.completed' "
        "AND subject_id = %(person)s",
        "SELECT count(*) FROM saga_steps WHERE saga_id = %(saga)s AND step = 'confirm'",
        "SELECT count(*) FROM outbox WHERE name = 'EnrolmentConfirmed' "
        "AND payload ->> 'person_id' = %(person)s::text",
        "SELECT count(*) FROM outbound_messages WHERE effect_key LIKE 'saga:' || %(saga)s || ':%%'",
    ):
        values = {"hold": saga.hold_id, "person": saga.person_id, "saga": saga.id}
        async with services.database.read() as conn:
            row: Any = await (await conn.execute(sql, values)).fetchone()
        assert row["count"] == 1, sql
    assert (await services.journal.verify_chains()).broken == ()


@pytest.mark.slow
@pytest.mark.parametrize("point", ["confirm.begun", "confirm.done", "confirm.committed"])
async def test_task_whose_process_is_killed_in_an_effect_runs_again(
    services: Services, tmp_path: Path, point: str
) -> None:
    saga = await paid_enrolment(services)
    send_task(services)
    with working(services, tmp_path, POINT=point, VICTIM="task", VISIBILITY=str(LONG_S)) as worker:
        await until_completed(services, saga)
        assert worker.poll() is None
    came_by = (tmp_path / "notes").read_text().split()
    assert len(came_by) == (1 if point.endswith("committed") else 2)
    await assert_once(services, saga)


@pytest.mark.slow
async def test_task_of_a_worker_that_vanished_comes_back_in_time(
    services: Services, tmp_path: Path
) -> None:
    saga = await paid_enrolment(services)
    send_task(services)
    how = {"POINT": "confirm.done", "VICTIM": "worker", "VISIBILITY": "2"}
    with working(services, tmp_path, **how) as vanished:
        assert vanished.wait(DEADLINE_S) == -signal.SIGKILL
    with working(services, tmp_path, **how):
        await until_completed(services, saga)
    first, second = (tmp_path / "notes").read_text().split()
    assert first != second
    await assert_once(services, saga)


@pytest.mark.slow
async def test_poison_event_is_set_aside_with_its_reason_and_taken_once_mended(
    services: Services, tmp_path: Path
) -> None:
    event_id = new_id()
    async with services.database.transaction() as uow:
        await uow.conn.execute(
            "INSERT INTO outbox (event_id, name, payload, occurred_at, available_at) "
            "VALUES (%s, 'TicketOpened', '{\"ticket_id\": \"nobody\"}', now(), now())",
            [event_id],
        )
    await until_settled(services)
    shown = orienta(services, tmp_path, "events", "dead")
    assert str(event_id) in shown
    assert "time_ticket" in shown
    assert "ValueError: badly formed hexadecimal UUID string" in shown

    async with services.database.transaction() as uow:
        await uow.conn.execute(
            "UPDATE outbox SET payload = jsonb_build_object('ticket_id', t.id) FROM tickets t "
            "WHERE event_id = %s AND t.status = 'open'",
            [event_id],
        )
    assert "1 deliveries" in orienta(services, tmp_path, "events", "replay", "--id", str(event_id))
    await until_settled(services)
    assert str(event_id) not in orienta(services, tmp_path, "events", "dead")


async def until_settled(services: Services) -> None:
    """Let every delivery be done or dead, however long its waits would be."""
    while True:
        await relay_batch(services)
        await run_deliveries(services)
        async with services.database.transaction() as uow:
            open_ones = await uow.conn.execute(
                "UPDATE deliveries SET available_at = available_at - %s "
                "WHERE done_at IS NULL AND dead_at IS NULL",
                [timedelta(hours=1)],
            )
        if not open_ones.rowcount:
            return


def orienta(services: Services, home: Path, *command: str) -> str:
    """Run a command of the product and return what it prints."""
    settings = services.settings
    plain = environment(str(settings.database_url), str(settings.redis_url), home=str(home))
    answer = subprocess.run(
        [sys.executable, "-m", "api.cli", *command],
        cwd=ROOT,
        env=os.environ | plain | {"COLUMNS": "240"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout
