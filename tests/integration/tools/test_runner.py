"""The runner with tools of the tests' own: effects, replays, failures and what is recorded."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import Field

from crm.actor import IdentityLevel
from crm.errors import Conflict, RuleBroken, Throttled, Unavailable
from crm.journal.events import DomainEvent
from tools.arguments import ToolInput
from tools.context import ToolRequest
from tools.outputs import SourceOut, ToolOutput
from tools.results import Failed, Ok, Refused
from tools.runner import ToolRunner
from tools.spec import Call, Effect, ToolSpec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from crm.db import Database, UnitOfWork
    from crm.journal.audit import AuditEntry
    from tests.integration.tools.conftest import Office

SECRET = "clave-4711-de-la-base"


class Note(ToolInput):
    text: str = Field(max_length=100)


class Noted(ToolOutput):
    text: str


class Probe:
    """A tool that writes a row, and can be told to break."""

    def __init__(self) -> None:
        self.before: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.after: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.event: DomainEvent | None = None
        self.calls = 0

    async def write(self, call: Call[Note]) -> Noted:
        """Write a note."""
        self.calls += 1
        if self.before:
            await self.before()
        await call.uow.conn.execute(
            "INSERT INTO probe VALUES (%s, %s)", [call.effect_key, call.args.text]
        )
        if self.event:
            call.uow.publish(self.event)
        if self.after:
            await self.after()
        source = SourceOut(ref="note-1", title="Note", url="/notes/1", version="1")
        return Noted(text=call.args.text, sources=[source])

    async def read(self, call: Call[Note]) -> Noted:
        """Read a note."""
        self.calls += 1
        if self.before:
            await self.before()
        source = SourceOut(ref="note-1", title="Note", url="/notes/1", version="1")
        return Noted(text=f"read {call.args.text}", sources=[source])


def write_spec(probe: Probe, **changes: Any) -> ToolSpec[Note, Noted]:
    spec = ToolSpec(
        name="write_note",
        version=1,
        description="Write a note.",
        input=Note,
        output=Noted,
        handler=probe.write,
        effect=Effect.WRITE,
    )
    return replace(spec, **changes)


def read_spec(probe: Probe, **changes: Any) -> ToolSpec[Note, Noted]:
    spec = ToolSpec(
        name="read_note",
        version=1,
        description="Read a note.",
        input=Note,
        output=Noted,
        handler=probe.read,
    )
    return replace(spec, **changes)


def request(tool: str = "write_note", text: object = "hola", *, index: int = 0) -> ToolRequest:
    return ToolRequest(tool=tool, arguments={"text": text}, step=0, index=index)


async def _raise(error: BaseException) -> None:
    raise error


def raising(error: BaseException) -> Callable[[], Coroutine[Any, Any, None]]:
    return lambda: _raise(error)


@pytest.fixture(scope="module", autouse=True)
async def probe_table(office: Office) -> AsyncIterator[None]:
    await office.execute("CREATE TABLE probe (effect_key text, text text)")
    yield
    await office.execute("DROP TABLE probe")


@pytest.fixture
def probe() -> Probe:
    return Probe()


async def rows_of(office: Office, run_id: object) -> int:
    return await office.count("SELECT count(*) FROM probe WHERE effect_key LIKE %s", f"{run_id}:%")


async def test_effect_event_key_and_record_commit_together(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    runner = office.runner_of(write_spec(probe))
    result = await runner.call(talk.context, request())
    assert isinstance(result, Ok)
    assert result.data == {"text": "hola"}
    assert [s.ref for s in result.sources] == ["note-1"]
    assert await rows_of(office, talk.context.run_id) == 1
    (record,) = await office.records(talk)
    assert record.header["outcome"] == "ok"
    assert record.header["effect_key"] == f"{talk.context.run_id}:0:0"
    assert record.header["agent"] == "student_support"
    assert record.payload["arguments"] == {"text": "hola"}
    assert record.payload["result"] == {"text": "hola"}
    assert record.payload["citations"] == [["/notes/1", "1"]]


async def test_same_call_again_returns_the_first_result(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    runner = office.runner_of(write_spec(probe))
    first = await runner.call(talk.context, request())
    again = await runner.call(talk.context, request())
    assert isinstance(first, Ok)
    assert again == replace(first, replayed=True)
    assert probe.calls == 1
    assert await office.outcomes(talk) == [("WRITE", "ok", "allowed"), ("NONE", "ok", "replayed")]


async def test_same_place_with_other_arguments_is_refused(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    runner = office.runner_of(write_spec(probe))
    await runner.call(talk.context, request(text="uno"))
    other = await runner.call(talk.context, request(text="dos"))
    assert isinstance(other, Refused)
    assert other.code == "idempotency.mismatch"
    assert await rows_of(office, talk.context.run_id) == 1


async def test_ten_equal_calls_at_once_have_one_effect(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    runner = office.runner_of(write_spec(probe))
    results = await asyncio.gather(*(runner.call(talk.context, request()) for _ in range(10)))
    assert all(isinstance(r, Ok) for r in results)
    assert sorted(r.replayed for r in results if isinstance(r, Ok)) == [False] + [True] * 9
    assert await rows_of(office, talk.context.run_id) == 1
    effects = [o for o in await office.outcomes(talk) if o[0] == "WRITE"]
    assert effects == [("WRITE", "ok", "allowed")]


async def test_calls_of_staff_without_a_run_are_separate_effects(
    office: Office, probe: Probe
) -> None:
    talk = await office.staff()
    runner = office.runner_of(write_spec(probe))
    results = [await runner.call(talk.context, request(text="suelta")) for _ in range(2)]
    assert [isinstance(r, Ok) and r.replayed for r in results] == [False, False]
    assert await office.count("SELECT count(*) FROM probe WHERE text = 'suelta'") == 2


@pytest.mark.parametrize("stage", ["before", "after"])
@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (RuleBroken("note.rule", "A rule forbids it."), "refused", "note.rule"),
        (Conflict("note.moved", "It has moved on."), "refused", "note.moved"),
        (Unavailable("note.down", "It does not answer."), "failed", "note.down"),
        (Throttled("note.busy", "Too many.", retry_after_s=3), "failed", "note.busy"),
        (ValueError(SECRET), "failed", "internal"),
        (KeyError(SECRET), "failed", "internal"),
        (TimeoutError(SECRET), "failed", "timeout"),
        (ExceptionGroup(SECRET, [ValueError(SECRET)]), "failed", "internal"),
    ],
)
async def test_failing_handler_changes_nothing_and_says_nothing_of_itself(
    office: Office, probe: Probe, stage: str, error: Exception, outcome: str, code: str
) -> None:
    talk = await office.visitor()
    setattr(probe, stage, raising(error))
    result = await office.runner_of(write_spec(probe)).call(talk.context, request())
    assert isinstance(result, Refused | Failed)
    assert (result.status, result.code) == (outcome, code)
    assert SECRET not in repr(result)
    assert await rows_of(office, talk.context.run_id) == 0
    (record,) = await office.records(talk)
    assert (record.header["outcome"], record.header["error_code"]) == (outcome, code)
    assert SECRET not in json.dumps([dict(record.header), dict(record.payload)], default=str)


async def test_failed_call_can_be_tried_again_under_its_key(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    runner = office.runner_of(write_spec(probe))
    probe.after = raising(Unavailable("note.down", "It does not answer."))
    assert isinstance(await runner.call(talk.context, request()), Failed)
    probe.after = None
    result = await runner.call(talk.context, request())
    assert isinstance(result, Ok)
    assert not result.replayed
    assert await rows_of(office, talk.context.run_id) == 1


class Unspeakable(DomainEvent):
    """An event that cannot be written: the failure comes at the commit."""

    def payload(self) -> dict[str, str | int | bool | None]:
        raise TypeError(SECRET)


async def test_failure_while_committing_takes_the_effect_back(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    probe.event = Unspeakable()
    result = await office.runner_of(write_spec(probe)).call(talk.context, request())
    assert isinstance(result, Failed)
    assert SECRET not in repr(result)
    assert await rows_of(office, talk.context.run_id) == 0
    assert await office.outcomes(talk) == [("WRITE", "failed", "allowed")]


async def test_lost_lease_stops_the_effect_before_the_handler(office: Office, probe: Probe) -> None:
    async def lost(uow: UnitOfWork) -> None:
        raise Conflict("lease.lost", "Another process took this conversation over.")

    talk = await office.visitor(fence=lost)
    result = await office.runner_of(write_spec(probe)).call(talk.context, request())
    assert isinstance(result, Refused)
    assert result.code == "lease.lost"
    assert probe.calls == 0


async def test_slow_handler_is_cut_off_and_rolled_back(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    probe.after = asyncio.Event().wait  # type: ignore[assignment]
    runner = office.runner_of(write_spec(probe, timeout_s=0.05))
    result = await runner.call(talk.context, request())
    assert isinstance(result, Failed)
    assert (result.code, result.retryable) == ("timeout", True)
    assert await rows_of(office, talk.context.run_id) == 0
    assert await office.outcomes(talk) == [("WRITE", "failed", "allowed")]


async def test_cancelled_call_is_rolled_back_and_recorded_as_aborted(
    office: Office, probe: Probe
) -> None:
    talk = await office.visitor()
    reached = asyncio.Event()

    async def wait_for_ever() -> None:
        reached.set()
        await asyncio.Event().wait()

    probe.after = wait_for_ever
    runner = office.runner_of(write_spec(probe))
    task = asyncio.create_task(runner.call(talk.context, request()))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await rows_of(office, talk.context.run_id) == 0
    assert await office.outcomes(talk) == [("WRITE", "aborted", "allowed")]


async def test_unknown_tool_is_refused_and_its_name_is_sealed(office: Office) -> None:
    talk = await office.visitor()
    result = await office.runner.call(
        talk.context, request("mail_ana@correo.example\ud800", text="x")
    )
    assert isinstance(result, Refused)
    assert result.code == "tool.unknown"
    (record,) = await office.records(talk)
    assert record.header["action"] == "tool.unknown"
    assert "ana@correo.example" not in json.dumps(dict(record.header), default=str)
    assert "ana@correo.example" in json.dumps(dict(record.payload))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('{"text": "hola"', "arguments.invalid"),
        ("[1, 2]", "arguments.invalid"),
        (7, "arguments.invalid"),
        ({"text": "x" * 101}, "arguments.invalid"),
        ({"text": "hola", "person_id": "0193"}, "arguments.invalid"),
        ({"text": "nul\x00"}, "arguments.invalid"),
        ('{"text": ' + "[" * 20_000 + "]" * 20_000 + "}", "arguments.too_large"),
        ("[" * 30_000, "arguments.invalid"),
        ({"text": "x" * 40_000}, "arguments.too_large"),
    ],
)
async def test_bad_arguments_are_refused_and_recorded(
    office: Office, probe: Probe, arguments: object, code: str
) -> None:
    talk = await office.visitor()
    asked = ToolRequest(tool="write_note", arguments=arguments, step=0, index=0)
    result = await office.runner_of(write_spec(probe)).call(talk.context, asked)
    assert isinstance(result, Refused)
    assert result.code == code
    assert probe.calls == 0
    (record,) = await office.records(talk)
    assert (record.header["outcome"], record.header["error_code"]) == ("refused", code)


async def test_arguments_may_come_as_json_text(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    asked = ToolRequest(tool="write_note", arguments='{"text": "hola"}', step=0, index=0)
    assert isinstance(await office.runner_of(write_spec(probe)).call(talk.context, asked), Ok)


async def test_plain_read_is_recorded_with_the_callers_commit(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    kept: list[AuditEntry] = []
    runner = office.runner_of(read_spec(probe))
    result = await runner.call(talk.context, request("read_note"), audit_sink=kept.append)
    assert isinstance(result, Ok)
    assert await office.records(talk) == []
    async with office.database.transaction() as uow:
        uow.audit(kept[0])
    assert await office.outcomes(talk) == [("READ", "ok", "allowed")]


async def test_plain_read_without_a_sink_is_recorded_at_once(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    await office.runner_of(read_spec(probe)).call(talk.context, request("read_note"))
    assert await office.outcomes(talk) == [("READ", "ok", "allowed")]


async def test_personal_read_is_recorded_before_it_is_released(
    office: Office, probe: Probe
) -> None:
    talk = await office.visitor()
    kept: list[AuditEntry] = []
    runner = office.runner_of(read_spec(probe, personal=True))
    await runner.call(talk.context, request("read_note"), audit_sink=kept.append)
    assert kept == []
    assert await office.outcomes(talk) == [("READ", "ok", "allowed")]


async def test_read_has_no_transaction_to_write_in(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    spec = replace(read_spec(probe), handler=probe.write)
    result = await office.runner_of(spec).call(talk.context, request("read_note"))
    assert isinstance(result, Failed)
    assert await rows_of(office, talk.context.run_id) == 0


class Deaf:
    """A database that takes no transaction."""

    def transaction(self) -> Awaitable[None]:
        raise Unavailable("database", "The database does not answer.")


async def test_what_cannot_be_recorded_is_not_released(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    deaf: Database = Deaf()  # type: ignore[assignment]
    specs = office.runner_of(read_spec(probe, personal=True))._registry
    runner = ToolRunner(deaf, specs, office.services)
    result = await runner.call(talk.context, request("read_note", text=SECRET))
    assert isinstance(result, Failed)
    assert SECRET not in repr(result)
    refused = await runner.call(talk.context, request("no_such_tool"))
    assert isinstance(refused, Failed)
    assert refused.code == "audit.unavailable"


async def test_too_low_a_level_is_refused_and_recorded(office: Office, probe: Probe) -> None:
    talk = await office.visitor()
    spec = write_spec(probe, min_level=IdentityLevel.VERIFIED)
    result = await office.runner_of(spec).call(talk.context, request())
    assert isinstance(result, Refused)
    assert result.code == "identity.level"
    assert probe.calls == 0
    assert await office.outcomes(talk) == [("WRITE", "refused", "identity.level")]


async def test_every_record_is_in_the_conversations_chain_and_the_chain_holds(
    office: Office,
) -> None:
    verification = await office.journal.verify_chains()
    assert verification.events > 0
    assert verification.broken == ()
