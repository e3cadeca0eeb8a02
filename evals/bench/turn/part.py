"""The benchmark part `turn`: what one student's message costs, beside LangGraph with PostgreSQL."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal

from evals.bench.counters import prepare_counters
from evals.bench.figure import Figure
from evals.bench.statistics import Times
from evals.bench.turn.measures import Effort, Growth, count_turns, growth, time_reads, time_turns
from evals.bench.turn.ours import Ours
from evals.bench.turn.peer import Peer
from evals.bench.turn.reads import Reads
from evals.bench.turn.subject import Desk, Servers, Subject

PART = "turn"
Say = Callable[[str], None]
Counted = Mapping[str, Mapping[str, float]]

#: On the ratio of p50 to each peer: LangGraph by default, and with `durability="exit"`.
_AIMS = (0.6, 1.0)
#: Counter → what a reader is told, unit, aim on our own value.
_COUNTERS: dict[str, tuple[str, str, float | None]] = {
    "fsyncs": ("fsyncs that a turn waits for", "", 3.0),
    "background_fsyncs": ("fsyncs in the background", "", None),
    "wal_bytes": ("write-ahead log a turn", "kB", None),
    "stored_bytes": ("stored a turn", "kB", None),
    "statements": ("statements a turn", "", None),
}


async def measure_turn(servers: Servers, *, say: Say, effort: Effort | None = None) -> list[Figure]:
    """Measure the whole turn.

    Args:
        say: gets what is being measured.
        effort: less than a benchmark's, for a try.
    """
    effort = effort or Effort()
    ours, peers = Ours(servers), [Peer(servers, "async"), Peer(servers, "exit")]
    subjects: list[Subject] = [ours, *peers]
    names = [peer.name for peer in peers]
    counted = await _count(subjects, effort, say)
    async with AsyncExitStack() as stack:
        desks: dict[str, Desk] = {
            s.name: await stack.enter_async_context(s.open()) for s in subjects
        }
        await _check_answers(desks)
        say("timing turns")
        times = await time_turns(desks, effort)
        floor = await time_reads(Reads(await stack.enter_async_context(ours.services())), effort)
        say("growing conversations")
        grown = {n: await growth(d, effort, messages=effort.long) for n, d in desks.items()}
        longest = await growth(desks[ours.name], effort, messages=effort.longest)
    return [
        *_counter_figures(ours.name, names, counted),
        *_time_figures(ours.name, names, times),
        _beside("p50 of the two tools' reads alone", "ms", floor.p50, _Bound()),
        *_growth_figures(ours.name, names, grown, longest),
    ]


async def _count(subjects: list[Subject], effort: Effort, say: Say) -> Counted:
    counted = {}
    for subject in subjects:
        say(f"counting {subject.name}")
        await asyncio.to_thread(prepare_counters, subject.stores_in)
        counted[subject.name] = await count_turns(subject, effort)
    return counted


async def _check_answers(desks: Mapping[str, Desk]) -> None:
    """Make sure that everybody answers: a benchmark of apologies would be worth nothing."""
    for name, desk in desks.items():
        talk = await desk.begin()
        await talk.turn()
        said = await talk.last_said()
        if "USD" not in said:
            raise RuntimeError(f"{name} does not answer: {said}")


def _counter_figures(ours: str, peers: list[str], counted: Counted) -> Iterator[Figure]:
    for counter, (name, unit, aim) in _COUNTERS.items():
        if any(counter not in counts for counts in counted.values()):
            continue
        scale = 1_000 if unit == "kB" else 1
        value, bound = counted[ours][counter] / scale, _Bound(aim, "value")
        for peer in peers:
            yield _beside(name, unit, value, bound, peer, counted[peer][counter] / scale)


def _time_figures(ours: str, peers: list[str], times: Mapping[str, Times]) -> Iterator[Figure]:
    own = times[ours]
    for peer, aim in zip(peers, _AIMS, strict=True):
        their = times[peer]
        yield _beside("CPU of the process a turn", "ms", own.cpu, _Bound(), peer, their.cpu)
        yield _beside("p50 of a turn", "ms", own.p50, _Bound(aim, "ratio"), peer, their.p50)
        yield _beside("p95 of a turn", "ms", own.p95, _Bound(50.0, "value"), peer, their.p95)


def _growth_figures(
    ours: str, peers: list[str], grown: Mapping[str, Growth], longest: Growth
) -> Iterator[Figure]:
    bound = _Bound(1.15, "value")
    for peer in peers:
        yield _beside(
            _length(grown[ours], grown[peer]),
            "×",
            grown[ours].factor,
            bound,
            peer,
            grown[peer].factor,
        )
    yield _beside(_length(longest, longest), "×", longest.factor, bound)


def _length(own: Growth, theirs: Growth) -> str:
    differs = f" (theirs {theirs.messages:,})" if theirs.messages != own.messages else ""
    return f"p50 at {own.messages:,} messages{differs} ÷ at 20"


@dataclass(frozen=True, slots=True)
class _Bound:
    aim: float | None = None
    on: Literal["ratio", "value"] = "ratio"


def _beside(
    name: str,
    unit: str,
    value: float,
    bound: _Bound,
    peer: str | None = None,
    peer_value: float | None = None,
) -> Figure:
    return Figure(
        part=PART,
        name=name,
        unit=unit,
        value=value,
        aim=bound.aim,
        aim_on=bound.on,
        peer=peer,
        peer_value=peer_value,
    )
