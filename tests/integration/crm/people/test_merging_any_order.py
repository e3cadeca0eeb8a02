"""Whoever is made one with whom, and two again, in whatever order: nothing is lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crm.actor import SERVICE_ACTOR
from crm.errors import Conflict, OrientaError, RuleBroken
from tests.integration.crm.people.merges import (
    consent,
    consents_of,
    furnish,
    merge,
    opted_out,
    rows_of,
    undo,
    wish,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from crm.clock import FixedClock

T = TypeVar("T")
Registry = Any

PEOPLE = 4
GROWING = ("conversations", "messages", "tickets", "chat_sessions", "invoices", "payments")
UNDOABLE = timedelta(hours=24)
_people = st.integers(0, PEOPLE - 1)
_channels = st.sampled_from(["email", "sms"])


class Merges(RuleBasedStateMachine):
    """A few people, their belongings and consents; which of them are one is kept apart.

    The machine runs in a thread of its own, the database's work in the tests' loop.
    """

    registry: Registry
    clock: FixedClock
    loop: asyncio.AbstractEventLoop

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def code_of(self, work: Coroutine[Any, Any, object]) -> str | None:
        """Return why something was refused."""
        try:
            self.call(work)
        except (Conflict, RuleBroken) as refused:
            return refused.code
        return None

    @initialize()
    def meet(self) -> None:
        self.people = [self.call(self.registry.new_person()) for _ in range(PEOPLE)]
        self.into: dict[int, int] = {}
        self.merges: list[tuple[Any, int]] = []
        self.furnished = 0
        self.start = self.rows()

    def rows(self) -> Any:
        return self.call(rows_of(self.registry))

    def is_gone(self, number: int) -> bool:
        return number in self.into

    @rule(number=_people)
    def furnish(self, number: int) -> None:
        self.call(furnish(self.registry, self.people[number]))
        self.furnished += 1

    @rule(number=_people, channel=_channels, granted=st.booleans())
    def consent(self, number: int, channel: str, granted: bool) -> None:
        self.tick()
        refusal = self.code_of(consent(self.registry, self.people[number], granted, channel))
        assert refusal == ("person.inactive" if self.is_gone(number) else None)

    @rule(number=_people, channel=_channels)
    def want_to_be_left_alone(self, number: int, channel: str) -> None:
        self.tick()
        refusal = self.code_of(wish(self.registry, self.people[number], channel))
        assert refusal == ("person.inactive" if self.is_gone(number) else None)

    @rule(survivor=_people, merged=_people)
    def merge(self, survivor: int, merged: int) -> None:
        self.tick()
        both = self.people[survivor], self.people[merged]
        before, said = self.rows(), [self.call(consents_of(self.registry, p)) for p in both]
        alone = [self.call(opted_out(self.registry, p)) for p in both]
        if survivor == merged or self.is_gone(survivor) or self.is_gone(merged):
            done_before = self.last_of(merged) == self.people[survivor].id
            assert (self.code_of(merge(self.registry, *both)) is None) == done_before
            assert self.rows() == before
            return
        made = self.call(merge(self.registry, *both))
        self.strictest_wins(survivor, said, alone)
        self.call(undo(self.registry, made.id))
        assert self.rows() == before
        self.tick()
        self.merges.append((self.call(merge(self.registry, *both)), merged))
        self.into[merged] = survivor

    def strictest_wins(self, survivor: int, said: list[Any], alone: list[Any]) -> None:
        now = self.call(consents_of(self.registry, self.people[survivor]))
        assert now.keys() == said[0].keys() | said[1].keys()
        for channel, granted in now.items():
            assert granted is all(by.get(channel, True) for by in said)
        assert self.call(opted_out(self.registry, self.people[survivor])) == alone[0] | alone[1]

    @precondition(lambda self: self.merges)
    @rule()
    def merge_again(self) -> None:
        """The same once more changes nothing."""
        made, merged = self.merges[-1]
        before = self.rows()
        both = self.people[self.into[merged]], self.people[merged]
        assert not self.is_gone(self.into[merged]), "the last merge is of one who is there"
        assert self.call(merge(self.registry, *both)) == made
        assert self.rows() == before

    @precondition(lambda self: self.merges)
    @rule()
    def undo_the_last(self) -> None:
        made, merged = self.merges[-1]
        late = self.clock.now() - made.merged_at >= UNDOABLE
        refusal = self.code_of(undo(self.registry, made.id))
        assert refusal == ("merge.too_late" if late else None)
        if late:
            return
        self.merges.pop()
        del self.into[merged]
        after = self.rows()
        self.call(undo(self.registry, made.id))
        assert self.rows() == after

    @precondition(lambda self: len(self.merges) > 1)
    @rule(data=st.data())
    def undo_another(self, data: st.DataObject) -> None:
        """One that a later one of the same people was built on cannot be undone."""
        number = data.draw(st.integers(0, len(self.merges) - 2))
        made, merged = self.merges[number]
        before = self.rows()
        if self.code_of(undo(self.registry, made.id)) is None:
            self.merges.pop(number)
            del self.into[merged]
        else:
            assert self.rows() == before

    @rule(hours=st.sampled_from([1, 10, 24]))
    def wait(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))

    def tick(self) -> None:
        self.clock.advance(timedelta(seconds=1))

    @invariant()
    def conserves(self) -> None:
        """Nothing that anybody had is lost, and each is who they are."""
        rows = self.rows()
        for table in GROWING:
            assert rows[table].total() == self.start[table].total() + self.furnished
        for number, person in enumerate(self.people):
            found = self.call(self.registry.people.get_person(person.id, actor=SERVICE_ACTOR))
            assert (found.status == "merged") == self.is_gone(number)
            assert found.merged_into == self.last_of(number)

    def last_of(self, number: int) -> object:
        if not self.is_gone(number):
            return None
        while self.is_gone(number):
            number = self.into[number]
        return self.people[number].id

    def teardown(self) -> None:
        """Undone from the last to the first, everybody is who they were."""
        while hasattr(self, "merges") and self.merges:
            made, merged = self.merges.pop()
            try:
                self.call(undo(self.registry, made.id))
            except OrientaError as refused:
                assert refused.code == "merge.too_late"  # noqa: PT017
                return
            del self.into[merged]
            self.conserves()


async def _run(registry: Registry, clock: FixedClock, *, examples: int, steps: int) -> None:
    Merges.registry, Merges.clock, Merges.loop = registry, clock, asyncio.get_running_loop()
    case = Merges.TestCase
    case.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(case("runTest").runTest)


async def test_nothing_is_lost_whoever_is_merged(registry: Registry, clock: FixedClock) -> None:
    await _run(registry, clock, examples=6, steps=12)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_nothing_is_lost_whoever_is_merged_for_long(
    registry: Registry, clock: FixedClock
) -> None:
    await _run(registry, clock, examples=20, steps=25)
