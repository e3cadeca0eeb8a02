"""The benchmark part `turn`: what one student's message costs, beside LangGraph with PostgreSQL."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from evals.bench.counters import prepare_counters
from evals.bench.figure import Figure
from evals.bench.statistics import Times
from evals.bench.turn.measures import Effort, count_turns, growth, time_turns
from evals.bench.turn.ours import Ours
from evals.bench.turn.peer import Peer
from evals.bench.turn.subject import Desk, Servers, Subject

PART = "turn"
Say = Callable[[str], None]
Counted = Mapping[str, Mapping[str, float]]

#: Counter → what a reader is told, unit, aim on our own value.
_COUNTERS: dict[str, tuple[str, str, float | None]] = {
    "fsyncs": ("fsyncs a turn", "", 3.0),
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
    ours = Ours(servers)
    peers = [Peer(servers, "async"), Peer(servers, "exit")]
    subjects: list[Subject] = [ours, *peers]
    prepare_counters(ours.stores_in)
    counted = {}
    for subject in subjects:
        say(f"counting {subject.name}")
        counted[subject.name] = await count_turns(subject, effort)
    async with AsyncExitStack() as stack:
        desks: dict[str, Desk] = {
            s.name: await stack.enter_async_context(s.open()) for s in subjects
        }
        say("timing turns")
        times = await time_turns(desks, effort)
        say("growing conversations")
        grown = {n: await growth(d, effort, messages=effort.long) for n, d in desks.items()}
        longest = await growth(desks[ours.name], effort, messages=effort.longest)
    return [
        *_counter_figures(ours.name, [p.name for p in peers], counted),
        *_time_figures(ours.name, [p.name for p in peers], times),
        *_growth_figures(ours.name, [p.name for p in peers], grown, longest, effort),
    ]


def _counter_figures(ours: str, peers: list[str], counted: Counted) -> list[Figure]:
    figures = []
    for counter, (name, unit, aim) in _COUNTERS.items():
        if counter not in counted[ours]:
            continue
        scale = 1_000 if unit == "kB" else 1
        figures += [
            Figure(
                part=PART,
                name=name,
                unit=unit,
                value=counted[ours][counter] / scale,
                aim=aim,
                aim_on="value",
                peer=peer,
                peer_value=counted[peer][counter] / scale,
            )
            for peer in peers
        ]
    return figures


def _time_figures(ours: str, peers: list[str], times: Mapping[str, Times]) -> list[Figure]:
    own = times[ours]
    aims = dict(zip(peers, (0.6, 1.0), strict=True))
    figures = [
        Figure(
            part=PART,
            name="p50 of a turn",
            unit="ms",
            value=own.p50,
            aim=aim,
            peer=peer,
            peer_value=times[peer].p50,
            note=f"{own.count} turns each",
        )
        for peer, aim in aims.items()
    ]
    figures += [
        Figure(
            part=PART,
            name="p95 of a turn",
            unit="ms",
            value=own.p95,
            aim=50.0,
            aim_on="value",
            peer=peer,
            peer_value=times[peer].p95,
            note="one client, no model time",
        )
        for peer in peers
    ]
    return figures


def _growth_figures(
    ours: str, peers: list[str], grown: Mapping[str, float], longest: float, effort: Effort
) -> list[Figure]:
    figures = [
        Figure(
            part=PART,
            name=f"p50 at {effort.long:,} messages ÷ at 20",
            unit="×",
            value=grown[ours],
            aim=1.15,
            aim_on="value",
            peer=peer,
            peer_value=grown[peer],
        )
        for peer in peers
    ]
    at_most = Figure(
        part=PART,
        name=f"p50 at {effort.longest:,} messages ÷ at 20",
        unit="×",
        value=longest,
        aim=1.15,
        aim_on="value",
    )
    return [*figures, at_most]
