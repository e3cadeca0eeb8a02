"""Admins read, verify and export the journal, and read runs; nobody else does."""

import csv
import io
import json
from typing import Any
from uuid import uuid4

import pytest

from crm.ids import new_id

Office = Any
Headers = dict[str, str]
ADMIN_READS = ["/v1/admin/audit/events", "/v1/admin/audit/export", "/v1/admin/runs"]


@pytest.fixture(scope="module")
async def person(office: Office, advisor: Headers) -> dict[str, Any]:
    answer = await office.client.post(
        "/v1/people", json={"full_name": "Ana Auditada"}, headers=advisor
    )
    found: dict[str, Any] = answer.json()
    return found


async def _new_run(office: Office) -> str:
    """Store a run as the turn engine does, with two records of what it did."""
    run_id, conversation_id = new_id(), await office.new_conversation()
    async with office.database.transaction() as uow:
        await uow.conn.execute(
            "INSERT INTO runs (id, conversation_id, epoch, status, started_at) "
            "VALUES (%s, %s, 1, 'completed', %s)",
            [run_id, conversation_id, uow.clock.now()],
        )
        for action in ("search_courses", "turn"):
            uow.audit(_tool_call(action, run_id, conversation_id))
    return str(run_id)


def _tool_call(action: str, run_id: Any, conversation_id: Any) -> Any:
    from crm.actor import SERVICE_ACTOR
    from crm.journal.audit import AuditEntry

    return AuditEntry(
        actor=SERVICE_ACTOR,
        action=action,
        effect="READ",
        outcome="ok",
        decision="allowed",
        chain_id=conversation_id,
        conversation_id=conversation_id,
        run_id=run_id,
    )


@pytest.mark.parametrize("path", [*ADMIN_READS, f"/v1/admin/runs/{uuid4()}", "/v1/admin/staff"])
async def test_advisor_is_kept_out_and_the_attempt_is_recorded(
    office: Office, advisor: Headers, path: str
) -> None:
    sql = "SELECT count(*) FROM audit_events WHERE outcome = 'refused' AND decision = 'auth.role'"
    before = await office.count(sql)

    answer = await office.client.get(path, headers=advisor)

    assert (answer.status_code, answer.json()["code"]) == (403, "auth.role")
    assert await office.count(sql) == before + 1


async def test_events_are_shown_opened_and_filtered(
    office: Office, admin_headers: Headers, person: dict[str, Any]
) -> None:
    answer = await office.client.get(
        "/v1/admin/audit/events", params={"action": "person.create"}, headers=admin_headers
    )

    (event,) = [e for e in answer.json()["items"] if e["subject_id"] == person["id"]]
    assert event["payload"]["person"]["full_name"] == "Ana Auditada"
    assert (event["effect"], event["outcome"], event["actor_role"]) == ("WRITE", "ok", "advisor")


async def test_reading_the_journal_is_in_the_journal(
    office: Office, admin_headers: Headers
) -> None:
    answer = await office.client.get(
        "/v1/admin/audit/events", params={"outcome": "failed"}, headers=admin_headers
    )
    assert answer.json()["items"] == []

    latest = await office.client.get(
        "/v1/admin/audit/events",
        params={"action": "audit.read", "limit": 2},
        headers=admin_headers,
    )

    filters = [event["payload"]["filters"] for event in latest.json()["items"]]
    assert filters == [{"action": "audit.read"}, {"outcome": "failed"}]


async def test_pages_of_events_neither_skip_nor_repeat(
    office: Office, admin_headers: Headers, person: dict[str, Any]
) -> None:
    for _ in range(5):
        await office.client.get(f"/v1/people/{person['id']}", headers=admin_headers)
    params: dict[str, object] = {"action": "person.read", "limit": 2}

    seen: list[str] = []
    while True:
        answer = await office.client.get(
            "/v1/admin/audit/events", params=params, headers=admin_headers
        )
        seen += [event["id"] for event in answer.json()["items"]]
        if answer.json()["next_cursor"] is None:
            break
        params["cursor"] = answer.json()["next_cursor"]

    sql = "SELECT count(*) FROM audit_events WHERE action = 'person.read'"
    assert len(seen) == len(set(seen)) == await office.count(sql)


@pytest.mark.parametrize(
    "params",
    [
        {"outcome": "fine"},
        {"run_id": "1"},
        {"since": "2026-01-01T00:00:00"},
        {"since": "yesterday"},
        {"action": "a\0b"},
    ],
)
async def test_filter_that_is_none(
    office: Office, admin_headers: Headers, params: dict[str, str]
) -> None:
    answer = await office.client.get("/v1/admin/audit/events", params=params, headers=admin_headers)

    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")


async def test_verify_finds_every_chain_whole(office: Office, admin_headers: Headers) -> None:
    answer = await office.client.post("/v1/admin/audit/verify", headers=admin_headers)

    found = answer.json()
    assert found["broken"] == []
    assert found["events"] == await office.count("SELECT count(*) FROM audit_events")


async def test_export_gives_every_record_as_json_lines_and_as_csv(
    office: Office, admin_headers: Headers, person: dict[str, Any]
) -> None:
    params = {"action": "person.create"}
    expected = await office.count(
        "SELECT count(*) FROM audit_events WHERE action = %s", *params.values()
    )

    lines = await office.client.get("/v1/admin/audit/export", params=params, headers=admin_headers)
    table = await office.client.get(
        "/v1/admin/audit/export", params={**params, "format": "csv"}, headers=admin_headers
    )

    records = [json.loads(line) for line in lines.text.splitlines()]
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert table.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert len(records) == len(rows) == expected
    assert [r["hash"] for r in records] == [r["hash"] for r in rows]
    assert [r["payload"] for r in records] == [json.loads(r["payload"]) for r in rows]


async def test_run_is_shown_with_its_records_in_order(
    office: Office, admin_headers: Headers
) -> None:
    run_id = await _new_run(office)

    listed = (await office.client.get("/v1/admin/runs", headers=admin_headers)).json()
    detail = (await office.client.get(f"/v1/admin/runs/{run_id}", headers=admin_headers)).json()

    assert run_id in [run["id"] for run in listed["items"]]
    assert detail["run"]["status"] == "completed"
    assert [event["action"] for event in detail["events"]] == ["search_courses", "turn"]


async def test_unknown_run(office: Office, admin_headers: Headers) -> None:
    answer = await office.client.get(f"/v1/admin/runs/{uuid4()}", headers=admin_headers)

    assert (answer.status_code, answer.json()["code"]) == (404, "run.unknown")


async def test_staff_are_listed_without_secrets(office: Office, admin_headers: Headers) -> None:
    answer = await office.client.get("/v1/admin/staff", headers=admin_headers)

    assert answer.json()["items"]
    assert set(answer.json()["items"][0]) == {"id", "email", "name", "role", "languages", "areas"}


@pytest.mark.parametrize("path", ["/v1/admin/audit/events", "/v1/admin/audit/export"])
@pytest.mark.parametrize("bound", ["since", "until"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
async def test_moments_beyond_any_calendar_are_refused(
    office: Office, admin_headers: Headers, path: str, bound: str, moment: str
) -> None:
    answer = await office.client.get(path, params={bound: moment}, headers=admin_headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")
