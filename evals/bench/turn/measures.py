"""How turns are measured: counters by difference, times interleaved, growth in pairs."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from evals.bench.counters import read_counters
from evals.bench.statistics import Sample, Times, per_turn, times_of
from evals.bench.turn.reads import Reads
from evals.bench.turn.script import COURSE, SEARCH
from evals.bench.turn.subject import Desk, Subject, Talk

#: A short conversation is timed for so many turns; then it is short no more.
_PAIRS_A_TALK = 5
_SHORT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is measured.

    Args:
        warm_turns: before a conversation is timed: its window is full then.
        timed_turns: of each conversation, from there on.
        talks: conversations a subject and repeat.
        repeats: each with the subjects in another order.
        counted_turns: over which counters are divided.
        pairs: turns of a long conversation timed, each beside one of a short one.
        long: messages that a long conversation has, of each subject.
        longest: messages of a very long one, of ours.
        fill_s: a conversation that is not as long by then is measured at the length it has.
    """

    warm_turns: int = 10
    timed_turns: int = 10
    talks: int = 3
    repeats: int = 5
    counted_turns: int = 100
    pairs: int = 40
    long: int = 500
    longest: int = 5_000
    fill_s: float = 120.0


async def count_turns(subject: Subject, effort: Effort) -> dict[str, float]:
    """Return what one turn costs the database, by counter."""
    await _some_turns(subject, effort.warm_turns, effort)  # tables and caches exist from here on
    start = await _counters(subject)
    await _some_turns(subject, effort.warm_turns, effort)
    between = await _counters(subject)
    await _some_turns(subject, effort.warm_turns + effort.counted_turns, effort)
    end = await _counters(subject)
    few = {name: between[name] - start[name] for name in start}
    many = {name: end[name] - between[name] for name in between}
    return per_turn(few, many, more_turns=effort.counted_turns)


async def _counters(subject: Subject) -> dict[str, float]:
    return (await asyncio.to_thread(read_counters, subject.stores_in)).known()


async def _some_turns(subject: Subject, turns: int, effort: Effort) -> None:
    """Make so many turns, a new conversation every `warm_turns`."""
    async with subject.open() as desk:
        for number in range(turns):
            if number % effort.warm_turns == 0:
                talk = await desk.begin()
            await talk.turn()


async def time_turns(desks: Mapping[str, Desk], effort: Effort) -> dict[str, Times]:
    """Return each subject's times, interleaved so that the machine's moods meet all of them."""
    names = list(desks)
    repeats: dict[str, list[list[Sample]]] = {name: [] for name in names}
    for _ in range(effort.repeats):
        names = [*names[1:], names[0]]
        taken: dict[str, list[Sample]] = {name: [] for name in names}
        for _ in range(effort.talks):
            for name in names:
                taken[name] += await _timed_talk(desks[name], effort)
        for name in names:
            repeats[name].append(taken[name])
    return {name: times_of(found) for name, found in repeats.items()}


async def _timed_talk(desk: Desk, effort: Effort) -> list[Sample]:
    talk = await _talk_of(desk, effort.warm_turns)
    return [await _timed(talk) for _ in range(effort.timed_turns)]


async def _talk_of(desk: Desk, turns: int) -> Talk:
    talk = await desk.begin()
    for _ in range(turns):
        await talk.turn()
    return talk


async def _timed(talk: Talk) -> Sample:
    wall, cpu = time.perf_counter(), time.process_time()
    await talk.turn()
    return _since(wall, cpu)


def _since(wall: float, cpu: float) -> Sample:
    return Sample((time.perf_counter() - wall) * 1_000, (time.process_time() - cpu) * 1_000)


async def time_reads(reads: Reads, effort: Effort) -> Times:
    """Return how long the script's two reads take, without anything around them."""
    taken: list[Sample] = []
    for _ in range(effort.counted_turns):
        wall, cpu = time.perf_counter(), time.process_time()
        await reads.search_courses(**SEARCH[1])
        await reads.get_course(COURSE)
        taken.append(_since(wall, cpu))
    return times_of([taken])


@dataclass(frozen=True, slots=True)
class Growth:
    """How a turn of a long conversation compares to one of a short.

    Args:
        messages: how long the conversation was.
        factor: its p50 as a multiple of the p50 at 20 messages.
    """

    messages: int
    factor: float


async def growth(desk: Desk, effort: Effort, *, messages: int) -> Growth:
    """Time turns of a long conversation, each beside one of a short."""
    long = await desk.begin()
    turns = await _fill(long, messages // long.messages_a_turn, within_s=effort.fill_s)
    at_length: list[float] = []
    at_start: list[float] = []
    while len(at_length) < effort.pairs:
        short = await _talk_of(desk, _SHORT // long.messages_a_turn)
        for _ in range(_PAIRS_A_TALK):
            at_length.append((await _timed(long)).ms)
            at_start.append((await _timed(short)).ms)
    return Growth(turns * long.messages_a_turn, median(at_length) / median(at_start))


async def _fill(talk: Talk, turns: int, *, within_s: float) -> int:
    """Make turns until there are as many or the time is over; return how many."""
    deadline = time.monotonic() + within_s
    for number in range(turns):
        if time.monotonic() > deadline:
            return number
        await talk.turn()
    return turns
