"""Invariant 8: only legal moves, and one active application a person, programme and term."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from crm.actor import SERVICE_ACTOR
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.pipeline import acts, store
from crm.pipeline.models import FORWARD, TRANSITIONS, Stage
from tests.integration.crm.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from crm.ids import PersonId
    from crm.pipeline.models import LeadId

T = TypeVar("T")
Office = Any
Interest = tuple[str | None, str | None, str]

COURSE, PROGRAMME = "DAT-101", "DIP-DAT"
INTERESTS: tuple[Interest, ...] = (
    (PROGRAMME, None, "2027-1"),
    (PROGRAMME, None, "2027-2"),
    (None, COURSE, ""),
    (None, None, ""),
)
STAGES: tuple[Stage, ...] = (*FORWARD, "lost")


class Funnel(RuleBasedStateMachine):
    """One person and all that they apply for; where each lead is, is kept apart and compared.

    The machine runs in a thread of its own, the database's work in the tests' loop.
    """

    office: Office
    loop: asyncio.AbstractEventLoop
    person: PersonId

    def __init__(self) -> None:
        super().__init__()
        self.stages: dict[LeadId, Stage] = {}
        self.interests: dict[LeadId, Interest] = {}
        self.histories: dict[LeadId, list[Stage]] = {}

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def attempt(self, work: Coroutine[Any, Any, T]) -> tuple[str | None, T | None]:
        """Return the code of a refusal, or what was done."""
        try:
            return None, self.call(work)
        except (Conflict, RuleBroken) as refused:
            return refused.code, None

    @initialize()
    def meet(self) -> None:
        self.person = self.call(self.office.new_person())

    def active(self, interest: Interest) -> bool:
        return any(
            self.interests[lead_id] == interest and stage not in ("enrolled", "lost")
            for lead_id, stage in self.stages.items()
        )

    @rule(interest=st.sampled_from(INTERESTS), stage=st.sampled_from(["inquiry", "lead"]))
    def open(self, interest: Interest, stage: Stage) -> None:
        programme, course, term = interest
        facts = {"programme_code": programme, "course_code": course, "term": term, "stage": stage}
        taken = self.active(interest)
        refusal, lead = self.attempt(self.office.open_lead(self.person, **facts))
        assert refusal == ("lead.exists" if taken else None)
        if lead is None:
            return
        self.stages[lead.id], self.interests[lead.id] = stage, interest
        self.histories[lead.id] = [stage]

    @rule(data=st.data(), to=st.sampled_from(STAGES))
    def move(self, data: st.DataObject, to: Stage) -> None:
        if not self.stages:
            return
        lead_id = data.draw(st.sampled_from(list(self.stages)))
        before = self.stages[lead_id]
        legal = to in TRANSITIONS[before]
        beside = before == "lost" and self.active(self.interests[lead_id])
        reason = "other" if to == "lost" else None
        refusal, _ = self.attempt(self.office.move(lead_id, to, reason=reason))
        assert refusal == ("lead.transition" if not legal else "lead.exists" if beside else None)
        if refusal is None:
            self.follow(lead_id, to)

    @rule(data=st.data())
    def walk_on(self, data: st.DataObject) -> None:
        """Go a legal step: by chance alone few leads get far."""
        walking = [i for i, stage in self.stages.items() if stage not in ("enrolled", "lost")]
        if walking:
            lead_id = data.draw(st.sampled_from(walking))
            to = FORWARD[FORWARD.index(self.stages[lead_id]) + 1]
            self.call(self.office.move(lead_id, to))
            self.follow(lead_id, to)

    @rule()
    def enrol(self) -> None:
        """A course is paid for: the open lead for it, or for its programme, arrives."""
        self.call(self.tell_enrolment())
        for stage in self.call(self.new_steps()):
            self.follow(*stage)

    async def tell_enrolment(self) -> None:
        async with self.office.database.transaction() as uow:
            await acts.record_enrolment(
                uow,
                person_id=self.person,
                course_code=COURSE,
                enrolment_id=new_id(),
                actor=SERVICE_ACTOR,
            )

    async def new_steps(self) -> list[tuple[LeadId, Stage]]:
        async with self.office.database.read() as conn:
            rows = await conn.execute(
                "SELECT id FROM leads WHERE person_id = %s ORDER BY id", [self.person]
            )
            steps = []
            for row in await rows.fetchall():
                changes = await store.select_stages(conn, row["id"])
                known = len(self.histories.get(row["id"], []))
                steps += [(row["id"], change.to_stage) for change in changes[known:]]
        for lead_id in {lead_id for lead_id, _ in steps}:
            self.interests.setdefault(lead_id, (None, COURSE, ""))
            self.histories.setdefault(lead_id, [])
        return steps

    def follow(self, lead_id: LeadId, to: Stage) -> None:
        before = self.stages.get(lead_id)
        assert before is None or to in TRANSITIONS[before]
        self.stages[lead_id] = to
        self.histories[lead_id].append(to)

    @invariant()
    def agrees(self) -> None:
        if self.stages:
            self.call(self.compare())

    async def compare(self) -> None:
        for lead_id, stage in self.stages.items():
            assert (await self.office.lead(lead_id)).stage == stage
            async with self.office.database.read() as conn:
                changes = await store.select_stages(conn, lead_id)
            assert [change.to_stage for change in changes] == self.histories[lead_id]
            running = {
                target
                for target, clock in (await self.office.clocks(lead_id)).items()
                if clock.state == "running"
            }
            assert ("next_step" in running) == (stage not in ("enrolled", "lost"))


async def test_funnel_holds_whatever_is_tried(office: Office) -> None:
    Funnel.office, Funnel.loop = office, asyncio.get_running_loop()
    case = Funnel.TestCase
    case.settings = settings(
        max_examples=20,
        stateful_step_count=12,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(case("runTest").runTest)


async def test_database_itself_refuses_a_second_application(office: Office) -> None:
    lead = await office.open_lead(programme_code=PROGRAMME, term="2027-1")
    again = (
        "INSERT INTO leads (id, person_id, source, programme_code, term, language, stage, "
        "created_at, stage_since, last_activity_at) "
        "VALUES (%s, %s, 'staff', %s, '2027-1', 'es', %s, %s, %s, %s)"
    )

    with pytest.raises(psycopg.errors.UniqueViolation):
        await office.execute(again, new_id(), lead.person_id, PROGRAMME, "lead", NOW, NOW, NOW)
    await office.execute(again, new_id(), lead.person_id, PROGRAMME, "enrolled", NOW, NOW, NOW)


async def test_history_and_timeline_cannot_be_rewritten(office: Office) -> None:
    lead = await office.open_lead()
    await office.move(lead.id, "lead")

    for statement in (
        "UPDATE lead_stages SET to_stage = 'enrolled' WHERE lead_id = %s",
        "UPDATE activities SET kind = 'call' WHERE lead_id = %s",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await office.execute(statement, lead.id)
