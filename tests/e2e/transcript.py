"""Plays a conversation that is written down, and compares what became of it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import yaml

from tests.chat_client import PATIENCE_S, ChatClient

FOLDER = Path(__file__).parent / "transcripts"
_LINK = re.compile(r"https?://\S+/pay/[\w-]+")


def transcripts() -> list[Path]:
    """Return every conversation that is written down."""
    return sorted(FOLDER.glob("*.yaml"))


@dataclass
class Stage:
    """Where a conversation is played: an API, its database, and the student in it."""

    client: ChatClient
    database_url: str
    email: str = ""
    person_id: str = ""
    said: str = ""
    link: str = ""
    told: list[str] = field(default_factory=list)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as conn:
            cursor = conn.execute(sql, list(values))  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def count(self, sql: str, *values: object) -> int:
        return int(self.rows(sql, *values)[0][0])


def read(path: Path) -> dict[str, Any]:
    """Return what is written."""
    script: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return script


async def play(script: dict[str, Any], url: str, database_url: str) -> None:
    """Play a conversation to its end.

    Raises: AssertionError: a reply, or what is so at the end, is not what is written.
    """
    client = await ChatClient(url).start(locale=script["locale"])
    stage = Stage(client, database_url)
    try:
        for act in (*script.get("given", ()), *script["steps"]):
            name, value = next(iter(act.items()))
            await _ACTS[name](stage, value)
            _check_reply(stage, act)
        await _until_so(stage, script["end"])
    finally:
        await client.close()


def _check_reply(stage: Stage, act: dict[str, Any]) -> None:
    for wanted in act.get("expect", ()):
        assert re.search(wanted, stage.said, re.IGNORECASE | re.DOTALL), (wanted, stage.said)
    for unwanted in act.get("never", ()):
        assert not re.search(unwanted, stage.said, re.IGNORECASE), (unwanted, stage.said)


async def _student(stage: Stage, value: dict[str, Any]) -> None:
    stage.person_id, stage.email = str(uuid4()), f"{uuid4().hex[:12]}@correo.example"
    stage.rows(
        "INSERT INTO people (id, full_name, email, locale, time_zone, birth_date, status, "
        "created_at, updated_at) VALUES (%s, %s, %s, 'es', 'America/Lima', %s, 'active', now(), "
        "now())",
        *(stage.person_id, value["name"], stage.email, value.get("birth_date")),
    )


async def _full(stage: Stage, course: str) -> None:
    stage.rows("UPDATE cohorts SET blocked_seats = seats WHERE course_code = %s", course)


async def _seat_freed(stage: Stage, course: str) -> None:
    stage.rows("UPDATE cohorts SET blocked_seats = 0 WHERE course_code = %s", course)


async def _price(stage: Stage, value: dict[str, Any]) -> None:
    stage.rows(
        "UPDATE cohorts SET price_minor = %s WHERE course_code = %s",
        *(value["minor"], value["course"]),
    )


async def _starts(stage: Stage, value: dict[str, Any]) -> None:
    stage.rows(
        "UPDATE cohorts SET starts_on = current_date + %s, enrolment_closes = current_date + %s "
        "WHERE code = %s",
        *(value["in_days"], value["in_days"], value["cohort"]),
    )


async def _offers_made(stage: Stage, _: object) -> None:
    """Wait until the seat that became free is offered, as the clock's rounds do."""
    stage.rows(
        "INSERT INTO seat_holds (id, cohort_id, person_id, kind, status, created_at, expires_at) "
        "SELECT gen_random_uuid(), cohort_id, %s, 'student', 'live', now(), now() "
        "FROM waitlist_entries WHERE person_id = %s AND status = 'waiting'",
        *(_bystander(stage), stage.person_id),
    )
    await _until(
        stage,
        "SELECT count(*) FROM waitlist_entries WHERE person_id = %s AND status = 'offered'",
        stage.person_id,
    )


def _bystander(stage: Stage) -> str:
    """Return somebody whose hold lapses: what lets a cohort be looked at again."""
    person_id = str(uuid4())
    stage.rows(
        "INSERT INTO people (id, full_name, locale, time_zone, status, created_at, updated_at) "
        "VALUES (%s, 'Otra Persona', 'es', 'America/Lima', 'active', now(), now())",
        person_id,
    )
    return person_id


async def _wait_enrolled(stage: Stage, course: str) -> None:
    await _until(
        stage,
        "SELECT count(*) FROM enrolments e JOIN cohorts c ON c.id = e.cohort_id "
        "WHERE e.person_id = %s AND e.status = 'confirmed' AND c.code LIKE %s",
        stage.person_id,
        f"{course}%",
    )


async def _until(stage: Stage, sql: str, *values: object) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if stage.count(sql, *values):
                return
            await asyncio.sleep(0.2)


async def _say(stage: Stage, text: str) -> None:
    stage.said = (await stage.client.ask(text))["text"]
    stage.told.append(stage.said)
    if found := _LINK.search(stage.said):
        stage.link = found.group()


async def _burst(stage: Stage, texts: list[str]) -> None:
    for text in texts[:-1]:
        (await stage.client.send(text)).raise_for_status()
    await _say(stage, texts[-1])


async def _verify(stage: Stage, _: object) -> None:
    await stage.client.post("/v1/chat/verification", {"email": stage.email})
    code = await stage.client.code_sent_to(stage.email)
    answer = await stage.client.post("/v1/chat/verification/confirm", {"code": code})
    answer.raise_for_status()
    stage.client.token = answer.json()["session_token"]


async def _decide(stage: Stage, decision: object) -> None:
    before = len(await stage.client.messages())
    session = await stage.client.get("/v1/chat/session")
    pending = session["pending_confirmations"]
    assert pending, f"nothing to decide on after: {stage.said}"
    path = f"/v1/chat/confirmations/{pending[0]['id']}"
    (await stage.client.post(path, {"decision": decision})).raise_for_status()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            said = (await stage.client.messages())[before:]
            replies = [m["text"] for m in said if m["role"] == "agent"]
            if replies:
                break
            await asyncio.sleep(0.1)
    stage.said = replies[-1]
    if found := _LINK.search(stage.said):
        stage.link = found.group()


async def _pay(stage: Stage, choice: object) -> None:
    assert stage.link, stage.told
    async with httpx.AsyncClient(timeout=PATIENCE_S, follow_redirects=True) as http:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                path = httpx.URL(stage.link).path
                page = await http.get(f"{stage.client.url}{path}")
                if page.status_code == 200 and "choice" in page.text:
                    break
                await asyncio.sleep(0.2)
        paid = await http.post(
            f"{stage.client.url}{page.url.path}", data={"choice": choice or "pay"}
        )
        paid.raise_for_status()


async def _until_so(stage: Stage, end: dict[str, Any]) -> None:
    """Wait until what is written of the end is so."""
    wrong: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                wrong = [f"{n}: {v}" for n, v in end.items() if not _ENDS[n](stage, v)]
                if not wrong:
                    return
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"not so at the end: {wrong}; last reply: {stage.said}") from None


def _enrolments(stage: Stage, status: str) -> list[str]:
    rows = stage.rows(
        "SELECT c.code FROM enrolments e JOIN cohorts c ON c.id = e.cohort_id "
        "WHERE e.person_id = %s AND e.status = %s ORDER BY c.code",
        *(stage.person_id, status),
    )
    return [code for (code,) in rows]


def _starts_as(found: list[str], wanted: list[str]) -> bool:
    return len(found) == len(wanted) and all(
        code.startswith(course) for code, course in zip(found, sorted(wanted), strict=True)
    )


_ACTS = {
    "student": _student,
    "full": _full,
    "seat_freed": _seat_freed,
    "offers_made": _offers_made,
    "wait_enrolled": _wait_enrolled,
    "price": _price,
    "starts": _starts,
    "say": _say,
    "burst": _burst,
    "verify": _verify,
    "decide": _decide,
    "pay": _pay,
}
_ENDS = {
    "appointments": lambda s, v: (
        v
        == dict(
            s.rows(
                "SELECT status, count(*) FROM appointments WHERE person_id = %s GROUP BY status",
                s.person_id,
            )
        )
    ),
    "refused": lambda s, v: (
        v
        == [
            code
            for (code,) in s.rows(
                "SELECT course_code FROM course_dismissals WHERE person_id = %s ORDER BY 1",
                s.person_id,
            )
        ]
    ),
    "enrolled": lambda s, v: _starts_as(_enrolments(s, "confirmed"), v),
    "withdrawn": lambda s, v: _starts_as(_enrolments(s, "withdrawn"), v),
    "waiting": lambda s, v: (
        v
        == s.count(
            "SELECT count(*) FROM waitlist_entries WHERE person_id = %s AND status = 'waiting'",
            s.person_id,
        )
    ),
    "paid_minor": lambda s, v: (
        v
        == s.count(
            "SELECT coalesce(sum(captured_minor - refunded_minor), 0) FROM payments "
            "WHERE person_id = %s",
            s.person_id,
        )
    ),
    "tickets": lambda s, v: (
        v
        == s.count(
            "SELECT count(*) FROM tickets WHERE conversation_id = %s", s.client.conversation_id
        )
    ),
    "handed_off": lambda s, v: (
        v
        == bool(
            s.count(
                "SELECT count(*) FROM conversations WHERE id = %s AND status = 'waiting'",
                s.client.conversation_id,
            )
        )
    ),
    "sagas": lambda s, v: (
        v == s.count("SELECT count(*) FROM sagas WHERE person_id = %s", s.person_id)
    ),
    "live_holds": lambda s, v: (
        v
        == s.count(
            "SELECT count(*) FROM seat_holds WHERE person_id = %s AND status = 'live'", s.person_id
        )
    ),
}
