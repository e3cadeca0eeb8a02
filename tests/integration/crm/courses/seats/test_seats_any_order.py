"""Whatever happens in whatever order: no seat twice, no seat lost, nobody overtaken."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crm.actor import SERVICE_ACTOR
from crm.errors import RuleBroken
from crm.ids import PersonId, new_id

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from uuid import UUID

    from conftest import Hall

    from crm.clock import FixedClock
    from crm.courses.models import Cohort

T = TypeVar("T")

COHORTS = 2
PEOPLE = 7
#: One of the people has not completed what must come before the course.
UNPREPARED = 0
#: What the rules may say to anything tried here; anything else is a fault.
REFUSALS = {
    "cohort.full",
    "cohort.waitlist",
    "cohort.seats",
    "enrolment.ended",
    "enrolment.exists",
    "enrolment.prerequisites",
    "hold.lost",
    "transfer.course",
    "waitlist.held",
}

_people = st.integers(0, PEOPLE - 1)
_cohorts = st.integers(0, COHORTS - 1)


class Seats(RuleBasedStateMachine):
    """Two small cohorts of a course with a prerequisite, looked at after every step.

    The machine runs in a thread of its own, the database's work in the tests' loop.
    """

    hall: Hall
    clock: FixedClock
    loop: asyncio.AbstractEventLoop
    past: Cohort

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def attempt(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do it, or be refused by a rule; a refusal leaves everything as it was."""
        try:
            return self.call(work)
        except RuleBroken as refused:
            if refused.code not in REFUSALS:
                raise
            return None

    @initialize(
        seats=st.tuples(st.integers(1, 2), st.integers(1, 3)),
        priorities=st.lists(st.integers(0, 2), min_size=3, max_size=3),
    )
    def open(self, seats: tuple[int, int], priorities: list[int]) -> None:
        """Start where it matters: the first cohort is full, and three wait for it."""
        far_off = self.clock.now().date() + timedelta(days=1_000)
        self.cohorts = [
            self.call(self.hall.new_cohort(n, course_code="DAT-201", starts_on=far_off))
            for n in seats
        ]
        self.people = self.call(_new_people(self.hall, self.past))
        self.holds: list[UUID] = []
        self.enrolments: list[UUID] = []
        self.entries: list[UUID] = []
        self.offered: set[UUID] = set()
        for person in range(1, 1 + seats[0]):
            made = self.call(self.hall.enrol(self.people[person], self.cohorts[0]))
            self.enrolments.append(made.id)
        for number, priority in enumerate(priorities):
            self.join(PEOPLE - 1 - number, 0, priority)

    @rule(person=_people, cohort=_cohorts, bound=st.booleans(), minutes=st.integers(1, 90))
    def hold(self, person: int, cohort: int, bound: bool, minutes: int) -> None:
        key = str(new_id()) if bound else None
        work = self.hall.hold(self.people[person], self.cohorts[cohort], key, minutes=minutes)
        if made := self.attempt(work):
            self.holds.append(made.id)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), verb=st.sampled_from(["confirm", "confirm", "release"]))
    def decide(self, data: st.DataObject, verb: str) -> None:
        hold_id = data.draw(st.sampled_from(self.holds))
        made: Any = self.attempt(getattr(self.hall, verb)(hold_id))
        if verb == "confirm" and made:
            self.enrolments.append(made.id)

    @rule(person=_people, cohort=_cohorts, priority=st.integers(0, 2))
    def join(self, person: int, cohort: int, priority: int) -> None:
        work = self.hall.join(self.people[person], self.cohorts[cohort], priority=priority)
        if entry := self.attempt(work):
            self.entries.append(entry.id)
            self.holds += [entry.hold_id] if entry.hold_id else []

    @precondition(lambda self: self.entries)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.call(self.hall.leave(data.draw(st.sampled_from(self.entries))))

    @precondition(lambda self: self.enrolments)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        self.attempt(self.hall.withdraw(data.draw(st.sampled_from(self.enrolments))))

    @precondition(lambda self: self.enrolments)
    @rule(data=st.data(), cohort=_cohorts)
    def transfer(self, data: st.DataObject, cohort: int) -> None:
        enrolment = data.draw(st.sampled_from(self.enrolments))
        if made := self.attempt(self.hall.transfer(enrolment, self.cohorts[cohort])):
            self.enrolments.append(made.id)

    @rule(cohort=_cohorts, seats=st.integers(1, 4))
    def resize(self, cohort: int, seats: int) -> None:
        self.attempt(self.hall.resize(self.cohorts[cohort], seats))

    @rule(minutes=st.sampled_from([1, 20, 60, 60 * 48]))
    def wait(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    @rule()
    def beat(self) -> None:
        while self.call(self.hall.expire()):
            pass
        assert self.rows(_IDLE) == []

    @invariant()
    def holds_good(self) -> None:
        """Nothing that must never be is there."""
        for name, sql in _NEVER.items():
            assert self.rows(sql) == [], name
        for cohort in self.cohorts:
            (counted,) = self.rows(_LEFT, cohort.id)
            assert self.call(self.hall.left(cohort)) == counted["left"]

    @invariant()
    def nobody_is_overtaken(self) -> None:
        """Whoever has an offer since the last step goes before everybody who still waits."""
        for cohort in self.cohorts:
            queue = self.rows(_QUEUE, cohort.id)
            waiting = [row["place"] for row in queue if row["status"] == "waiting"]
            new = [r for r in queue if r["was_offered"] and r["id"] not in self.offered]
            assert all(row["place"] < min(waiting, default=99) for row in new)
            self.offered |= {row["id"] for row in new}

    def rows(self, sql: str, cohort_id: UUID | None = None) -> list[dict[str, Any]]:
        ids = [cohort.id for cohort in self.cohorts]
        values = {"ids": ids, "id": cohort_id, "now": self.clock.now()}
        return self.call(_rows(self.hall, sql, values))


async def _new_people(hall: Hall, past: Cohort) -> list[PersonId]:
    """Make people up who have nothing behind them but, all but one, the course before this one."""
    people, now = [PersonId(new_id()) for _ in range(PEOPLE)], hall.database.clock.now()
    await hall.execute(
        "INSERT INTO people (id, full_name, locale, time_zone, status, created_at, updated_at) "
        "SELECT unnest(%s::uuid[]), 'Ana', 'es', 'America/Lima', 'active', %s, %s",
        *(people, now, now),
    )
    prepared = people[:UNPREPARED] + people[UNPREPARED + 1 :]
    await hall.execute(
        "INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at, ended_at) "
        "SELECT gen_random_uuid(), unnest(%s::uuid[]), %s, 'completed', %s, %s",
        *(prepared, past.id, now, now),
    )
    return people


async def _rows(hall: Hall, sql: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    async with hall.database.read() as conn:
        return await (await conn.execute(sql, values)).fetchall()  # type: ignore[arg-type]


_KEPT = "(SELECT count(*) FROM enrolments WHERE cohort_id = c.id AND status = 'confirmed')"
_LIVE = (
    "(SELECT count(*) FROM seat_holds WHERE cohort_id = c.id AND status = 'live' "
    "AND expires_at > %(now)s)"
)
_LEFT = f"SELECT c.seats - {_KEPT} - {_LIVE} AS left FROM cohorts c WHERE c.id = %(id)s"

#: A free seat while somebody waits; may be between an expiry and the next time somebody looks.
_IDLE = (
    f"SELECT c.id FROM cohorts c WHERE c.id = ANY(%(ids)s) AND c.seats > {_KEPT} + {_LIVE} "
    "AND EXISTS (SELECT FROM waitlist_entries WHERE cohort_id = c.id AND status = 'waiting')"
)
_NEVER = {
    "a seat twice": (
        f"SELECT c.id FROM cohorts c WHERE c.id = ANY(%(ids)s) AND c.seats < {_KEPT} + {_LIVE}"
    ),
    "a course twice": (
        "SELECT person_id FROM enrolments WHERE cohort_id = ANY(%(ids)s) AND status = 'confirmed' "
        "GROUP BY person_id HAVING count(*) > 1"
    ),
    "an enrolment without what comes before": (
        "SELECT e.id FROM enrolments e WHERE e.cohort_id = ANY(%(ids)s) AND NOT EXISTS ("
        "SELECT FROM enrolments b JOIN cohorts c ON c.id = b.cohort_id "
        "WHERE b.person_id = e.person_id AND b.status = 'completed' AND c.course_code = 'PRG-101')"
    ),
    "an offer without a hold, or a hold without its offer": (
        "SELECT w.id FROM waitlist_entries w LEFT JOIN seat_holds h ON h.entry_id = w.id "
        "WHERE w.cohort_id = ANY(%(ids)s) "
        "AND (w.status = 'offered') <> (h.status IS NOT DISTINCT FROM 'live')"
    ),
    "a seat that came back twice": (
        "SELECT payload ->> 'hold_id' FROM outbox "
        "WHERE name IN ('HoldExpired', 'SeatReleased', 'EnrolmentConfirmed') "
        "AND payload ->> 'cohort_id' = ANY(%(ids)s::text[]) "
        "GROUP BY payload ->> 'hold_id', name HAVING count(*) > 1"
    ),
    "somebody waiting while a settled seat is free": (
        "SELECT c.id FROM cohorts c WHERE c.id = ANY(%(ids)s) "
        f"AND c.seats > {_KEPT} + (SELECT count(*) FROM seat_holds "
        "WHERE cohort_id = c.id AND status = 'live') "
        "AND EXISTS (SELECT FROM waitlist_entries WHERE cohort_id = c.id AND status = 'waiting')"
    ),
}
_QUEUE = """
    SELECT w.id, w.status, h.id IS NOT NULL AS was_offered,
        row_number() OVER (ORDER BY w.priority DESC, w.joined_at, w.id) AS place
    FROM waitlist_entries w LEFT JOIN seat_holds h ON h.entry_id = w.id
    WHERE w.cohort_id = %(id)s
"""


async def _run(hall: Hall, clock: FixedClock, *, examples: int, steps: int) -> None:
    await hall.catalogue.service.set_prerequisites("DAT-201", ("PRG-101",), actor=SERVICE_ACTOR)
    Seats.hall, Seats.clock, Seats.loop = hall, clock, asyncio.get_running_loop()
    Seats.past = await hall.new_cohort(9, course_code="PRG-101")
    case = Seats.TestCase
    case.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(case("runTest").runTest)


async def test_seats_hold_good_whatever_happens(hall: Hall, clock: FixedClock) -> None:
    await _run(hall, clock, examples=12, steps=25)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_seats_hold_good_whatever_happens_for_long(hall: Hall, clock: FixedClock) -> None:
    await _run(hall, clock, examples=150, steps=50)
