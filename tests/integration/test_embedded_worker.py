"""The Celery worker against real servers: it relays, indexes, and survives being killed."""

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from api.worker.app import TASK_LIMIT_S, VISIBILITY_S, create_worker

DEADLINE_S = 90
ANNOUNCE = """
    create function tell() returns trigger language plpgsql as
    $$ begin perform pg_notify('told', tg_table_name); return null; end $$;
    create trigger tell_outbox after update on outbox for each statement execute function tell();
    create trigger tell_documents after insert on search_documents
        for each statement execute function tell();
"""


@pytest.fixture(scope="module")
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection that hears when the outbox or the documents change."""
    with psycopg.connect(database_url, autocommit=True) as opened:
        opened.execute(ANNOUNCE)
        opened.execute("listen told")
        yield opened


@pytest.fixture
def worker(
    database_url: str, redis_url: str, tmp_path: Path, connection: psycopg.Connection
) -> Iterator[subprocess.Popen[str]]:
    log = (tmp_path / "worker.log").open("w+")
    environment = os.environ | {
        "ORIENTA_HOME": str(tmp_path),
        "ORIENTA_DATABASE_URL": database_url,
        "ORIENTA_REDIS_URL": redis_url,
        "ORIENTA_EMBEDDER": "none",
        "ORIENTA_MASTER_KEY": base64.b64encode(bytes(32)).decode(),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "worker"],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    process.terminate()
    process.wait(60)
    log.seek(0)
    sys.stdout.write(log.read())  # pytest shows it when the test failed
    log.close()


def add_event(connection: psycopg.Connection, name: str) -> int:
    row = connection.execute(
        "insert into outbox (event_id, name, payload, occurred_at, available_at)"
        ' values (gen_random_uuid(), %s, \'{"course_code": "X"}\', now(), now()) returning id',
        [name],
    ).fetchone()
    assert row is not None
    return int(row[0])


def wait_for(
    worker: subprocess.Popen[str],
    connection: psycopg.Connection,
    question: str,
    *values: object,
) -> None:
    """Ask again at each change until the answer is yes."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        row = connection.execute(question, values).fetchone()
        if row and row[0]:
            return
        assert worker.poll() is None
        for _ in connection.notifies(timeout=1, stop_after=1):
            pass
    raise AssertionError(f"never true: {question}")


def test_an_event_is_relayed_and_wakes_its_task(
    worker: subprocess.Popen[str], connection: psycopg.Connection
) -> None:
    add_course(connection, "TST-101")
    event = add_event(connection, "CourseChanged")
    wait_for(worker, connection, "select delivered_at is not null from outbox where id = %s", event)
    wait_for(worker, connection, "select count(*) = 2 from search_documents where slug = 'TST-101'")


@pytest.mark.slow
def test_a_task_whose_process_is_killed_is_carried_out_by_another(
    worker: subprocess.Popen[str], connection: psycopg.Connection, database_url: str
) -> None:
    add_course(connection, "TST-102")
    with psycopg.connect(database_url) as blocker:
        blocker.execute("lock table courses in access exclusive mode")
        add_event(connection, "CourseChanged")
        wait_for(
            worker,
            connection,
            "select count(*) > 0 from pg_locks l join pg_class c on c.oid = l.relation"
            " where c.relname = 'courses' and not l.granted",
        )
        for child in children_of(worker.pid):
            os.kill(child, signal.SIGKILL)
    wait_for(worker, connection, "select count(*) = 2 from search_documents where slug = 'TST-102'")
    assert worker.poll() is None


def test_a_slow_task_is_never_given_to_a_second_worker_while_it_runs() -> None:
    options = create_worker("redis://127.0.0.1:1/0").conf.broker_transport_options
    assert options["visibility_timeout"] == VISIBILITY_S > TASK_LIMIT_S
    assert options["unacked_restore_throttle"] == 1


def children_of(parent: int) -> list[int]:
    tasks = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(pid) for pid in tasks.split()]


def add_course(connection: psycopg.Connection, code: str) -> None:
    connection.execute(
        "insert into areas (code, name_es, name_en) values ('TST', 'Pruebas', 'Tests')"
        " on conflict do nothing"
    )
    connection.execute(
        "insert into courses values (%s, 'TST', 'intro', 'es', 'Curso', 'Course', 'Resumen.',"
        " 'Summary.', '{uno}', '{one}', '{tema}', 20, 4, 5, 10000, 'PEN', true, true, now())",
        [code],
    )
