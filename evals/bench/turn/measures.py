"""How turns are measured: counters by difference, times interleaved, growth in pairs."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from evals.bench.counters import read_counters
from evals.bench.statistics import Times, per_turn, times_of
from evals.bench.turn.subject import Desk, Subject, Talk

#: A short conversation is timed for so many turns; then it is short no more.
_PAIRS_A_TALK = 5


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
    """

    warm_turns: int = 10
    timed_turns: int = 10
    talks: int = 4
    repeats: int = 5
    counted_turns: int = 100
    pairs: int = 40
    long: int = 500
    longest: int = 5_000


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
    repeats: dict[str, list[list[float]]] = {name: [] for name in names}
    for _ in range(effort.repeats):
        names = [*names[1:], names[0]]
        taken: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(effort.talks):
            for name in names:
                taken[name] += await _timed_talk(desks[name], effort)
        for name in names:
            repeats[name].append(taken[name])
    return {name: times_of(found) for name, found in repeats.items()}


async def _timed_talk(desk: Desk, effort: Effort) -> list[float]:
    talk = await _talk_of(desk, effort.warm_turns)
    return [await _timed(talk) for _ in range(effort.timed_turns)]


async def _talk_of(desk: Desk, turns: int) -> Talk:
    talk = await desk.begin()
    for _ in range(turns):
        await talk.turn()
    return talk


async def _timed(talk: Talk) -> float:
    started = time.perf_counter()
    await talk.turn()
    return (time.perf_counter() - started) * 1_000


async def growth(desk: Desk, effort: Effort, *, messages: int) -> float:
    """Return the p50 at so many messages as a multiple of the p50 at 20."""
    long = await desk.begin()
    for _ in range(messages // long.messages_a_turn):
        await long.turn()
    at_length: list[float] = []
    at_start: list[float] = []
    while len(at_length) < effort.pairs:
        short = await _talk_of(desk, 20 // long.messages_a_turn)
        for _ in range(_PAIRS_A_TALK):
            at_length.append(await _timed(long))
            at_start.append(await _timed(short))
    return median(at_length) / median(at_start)
