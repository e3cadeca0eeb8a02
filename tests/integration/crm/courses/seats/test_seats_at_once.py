"""Sixteen writers, each on a connection of its own, want the five seats of a cohort at once."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from crm.db import Database, open_pool
from crm.errors import RuleBroken
from crm.journal.vault import Vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Hall

    from crm.courses.models import Cohort
    from crm.ids import PersonId

WRITERS = 16
SEATS = 5


@pytest.fixture(scope="module")
async def writers(hall: Hall, database_url: str) -> AsyncIterator[list[Hall]]:
    """The hall, once a writer."""
    pools = [await open_pool(database_url, min_size=1, max_size=1) for _ in range(WRITERS)]
    clock = hall.database.clock
    yield [hall.on(Database(pool, clock, Vault(bytes(32)))) for pool in pools]
    await asyncio.gather(*(pool.close() for pool in pools))


async def _want_a_seat(hall: Hall, person: PersonId, cohort: Cohort, luck: float) -> None:
    """Hold a seat, then keep it or give it back in one of three ways; or wait for one."""
    try:
        hold = await hall.hold(person, cohort)
        if luck < 0.2:
            await hall.release(hold.id)
        elif luck < 0.8:
            enrolment = await hall.confirm(hold.id)
            if luck < 0.3:
                await hall.withdraw(enrolment.id)
    except RuleBroken as refused:
        if refused.code not in ("cohort.full", "cohort.waitlist"):
            raise
        entry = await hall.join(person, cohort)
        if luck > 0.9:
            await hall.leave(entry.id)


async def _race(writers: list[Hall], *, rounds: int) -> None:
    dice = random.Random(11)
    people = [await writers[0].new_person() for _ in range(WRITERS)]
    for _ in range(rounds):
        cohort = await writers[0].new_cohort(SEATS)
        tries = [
            _want_a_seat(hall, person, cohort, dice.random())
            for hall, person in zip(writers, people, strict=True)
        ]
        await asyncio.gather(*tries, writers[0].expire())
        await _check(writers[0], cohort)
        # The next round's cohort is of the same course, which one takes once at a time.
        await writers[0].execute(
            "UPDATE enrolments SET status = 'withdrawn', ended_at = now() WHERE cohort_id = %s",
            cohort.id,
        )


async def _check(hall: Hall, cohort: Cohort) -> None:
    kept = await hall.count(
        "SELECT count(*) FROM enrolments WHERE cohort_id = %s AND status = 'confirmed'", cohort.id
    )
    held = await hall.count(
        "SELECT count(*) FROM seat_holds WHERE cohort_id = %s AND status = 'live'", cohort.id
    )
    waiting = await hall.count(
        "SELECT count(*) FROM waitlist_entries WHERE cohort_id = %s AND status = 'waiting'",
        cohort.id,
    )
    assert kept + held <= SEATS
    assert kept + held == SEATS or waiting == 0
    assert await hall.left(cohort) == SEATS - kept - held


async def test_sixteen_writers_never_oversell_five_seats(writers: list[Hall]) -> None:
    await _race(writers, rounds=20)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_sixteen_writers_never_oversell_five_seats_in_200_rounds(
    writers: list[Hall],
) -> None:
    await _race(writers, rounds=200)


async def test_two_cohorts_of_a_course_do_not_both_take_one_person(writers: list[Hall]) -> None:
    hall = writers[0]
    for _ in range(10):
        person = await hall.new_person()
        cohorts = [await hall.new_cohort(SEATS) for _ in range(4)]
        holds = [await hall.hold(person, cohort) for cohort in cohorts]

        outcomes = await asyncio.gather(
            *(one.confirm(hold.id) for one, hold in zip(writers, holds, strict=False)),
            return_exceptions=True,
        )

        refused = [o for o in outcomes if isinstance(o, BaseException)]
        assert len(refused) == len(cohorts) - 1
        assert {getattr(r, "code", r) for r in refused} == {"enrolment.exists"}


async def test_transfers_to_and_fro_neither_deadlock_nor_oversell(writers: list[Hall]) -> None:
    hall = writers[0]
    for _ in range(10):
        here, there = await hall.new_cohort(4), await hall.new_cohort(4)
        ours = [await hall.enrol(await hall.new_person(), here) for _ in range(3)]
        theirs = [await hall.enrol(await hall.new_person(), there) for _ in range(3)]
        moves = [(e, there) for e in ours] + [(e, here) for e in theirs]

        outcomes = await asyncio.gather(
            *(
                one.transfer(enrolment.id, target)
                for one, (enrolment, target) in zip(writers, moves, strict=False)
            ),
            return_exceptions=True,
        )

        refused = [o for o in outcomes if isinstance(o, BaseException)]
        assert {getattr(r, "code", r) for r in refused} <= {"cohort.full"}
        assert await hall.left(here) + await hall.left(there) == 2
        assert min(await hall.left(here), await hall.left(there)) >= 0
