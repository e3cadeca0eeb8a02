"""Invariants 6 and 15 over any order of calls, repetitions and failures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.errors import Conflict, RuleBroken, Unavailable
from crm.journal.events import DomainEvent
from tools.arguments import ToolInput
from tools.context import ToolRequest
from tools.outputs import ToolOutput
from tools.results import Failed, NeedsConfirmation, Ok, Refused
from tools.spec import Call, Effect, ToolSpec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from crm.db import UnitOfWork
    from tests.integration.tools.conftest import Office, Talk

#: Where a call can break: at every await between its start and its commit.
STAGES = ("none", "fence", "start", "middle", "end", "commit")
ERRORS: tuple[Exception, ...] = (
    RuleBroken("probe.rule", "A rule forbids it."),
    Unavailable("probe.down", "It does not answer."),
    RuntimeError("secreto"),
)


class Write(ToolInput):
    text: str


class Wrote(ToolOutput):
    text: str


class BrokenEvent(DomainEvent):
    def payload(self) -> dict[str, str | int | bool | None]:
        raise RuntimeError("secreto")


@dataclass
class Machine:
    """A tool with two statements that breaks where it is told to."""

    stage: str = "none"
    error: Exception = field(default_factory=RuntimeError)

    def check(self, stage: str) -> None:
        if self.stage == stage:
            raise self.error

    async def fence(self, uow: UnitOfWork) -> None:
        self.check("fence")

    async def write(self, call: Call[Write]) -> Wrote:
        """Write two rows."""
        self.check("start")
        for part in ("middle", "end"):
            await call.uow.conn.execute(
                "INSERT INTO machine VALUES (%s, %s)", [call.effect_key, call.args.text]
            )
            self.check(part)
        if self.stage == "commit":
            call.uow.publish(BrokenEvent())
        return Wrote(text=call.args.text)

    @property
    def spec(self) -> ToolSpec[Write, Wrote]:
        return ToolSpec(
            name="machine_write",
            version=1,
            description="Write.",
            input=Write,
            output=Wrote,
            handler=self.write,
            effect=Effect.WRITE,
        )


@pytest.fixture(scope="module", autouse=True)
async def machine_table(office: Office) -> AsyncIterator[None]:
    await office.execute("CREATE TABLE machine (effect_key text, text text)")
    yield
    await office.execute("DROP TABLE machine")


CALLS = st.lists(
    st.tuples(
        st.integers(0, 2),  # the call's place in the run
        st.sampled_from(["uno", "dos"]),
        st.sampled_from(STAGES),
        st.sampled_from(ERRORS),
    ),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(calls=CALLS)
async def test_every_effect_has_one_record_and_every_attempt_its_own(
    office: Office, calls: list[tuple[int, str, str, Exception]]
) -> None:
    machine = Machine()
    talk = await office.visitor(fence=machine.fence)
    runner = office.runner_of(machine.spec)
    made: dict[int, str] = {}
    for count, (place, text, stage, error) in enumerate(calls, start=1):
        machine.stage, machine.error = stage, error
        result = await runner.call(
            talk.context,
            ToolRequest(tool="machine_write", arguments={"text": text}, step=0, index=place),
        )
        _judge(result, made, place, text, stage)
        assert "secreto" not in repr(result)
        await _agrees(office, talk, made, attempts=count)


def _judge(result: Any, made: dict[int, str], place: int, text: str, stage: str) -> None:
    """Compare a result with what the model says, and note the effect it should have had."""
    if stage == "fence":
        assert isinstance(result, Refused | Failed)
    elif place in made and made[place] == text:
        assert result == Ok({"text": text}, replayed=True)
    elif place in made:
        assert isinstance(result, Refused)
        assert result.code == "idempotency.mismatch"
    elif stage == "none":
        made[place] = text
        assert result == Ok({"text": text})
    else:
        assert isinstance(result, Refused | Failed)


async def _agrees(office: Office, talk: Talk, made: dict[int, str], *, attempts: int) -> None:
    prefix = f"{talk.context.run_id}:0:"
    rows = await office.count("SELECT count(*) FROM machine WHERE effect_key LIKE %s", prefix + "%")
    assert rows == 2 * len(made)
    records = await office.records(talk)
    assert len(records) == attempts
    effects = [
        r.header["effect_key"]
        for r in records
        if r.header["outcome"] == "ok" and r.header["effect"] == "WRITE"
    ]
    assert sorted(map(str, effects)) == sorted(f"{prefix}{place}" for place in made)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stages=st.lists(st.sampled_from(STAGES), min_size=1, max_size=4))
async def test_a_consent_is_carried_out_once_or_not_at_all(
    office: Office, stages: list[str]
) -> None:
    """Executing an accepted call again and again, broken anywhere, makes one effect at the most.

    A definite failure closes the confirmation; only a holder without its lease leaves it open.
    """
    machine = Machine()
    spec = _with_consent(machine)
    talk = await office.visitor(fence=machine.fence)
    runner = office.runner_of(spec)
    frozen = await runner.call(
        talk.context,
        ToolRequest(tool="machine_write", arguments={"text": "uno"}, step=0, index=0),
    )
    assert isinstance(frozen, NeedsConfirmation)
    await office.accept(talk, frozen.confirmation_id)
    state = "accepted"
    for stage in stages:
        machine.stage, machine.error = stage, Conflict("probe.moved", "It has moved on.")
        result = await runner.execute_confirmed(talk.context, frozen.confirmation_id)
        if stage != "fence" and state == "accepted":
            state = "executed" if stage == "none" else "failed"
        done = state == "executed" and stage != "fence"
        assert isinstance(result, Ok) is done
        assert (await office.services.confirmations.get(frozen.confirmation_id)).status == state
    rows = await office.count(
        "SELECT count(*) FROM machine WHERE effect_key = %s", f"confirm:{frozen.confirmation_id}"
    )
    assert rows == (2 if state == "executed" else 0)


def _with_consent(machine: Machine) -> ToolSpec[Write, Wrote]:
    return replace(machine.spec, approval="student", summarise=lambda args, _: args.text)
