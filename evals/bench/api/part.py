"""What a request costs, beside a bare endpoint that does one statement and nothing else."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from evals.bench.api.load import Call, requests_per_second
from evals.bench.api.serving import Server
from evals.bench.api.sites import Site, both_sites
from evals.bench.computing import SERVER, SESSIONS, read_computed
from evals.bench.counters import prepare_counters, read_counters
from evals.bench.figure import Figure
from evals.bench.statistics import per_turn
from evals.bench.turn.subject import Servers

PART = "api"
PEER = "bare FastAPI + psycopg_pool"
#: Our requests per second as a share of the peer's.
_AIM = 0.6
_COUNTERS = {
    "statements": ("statements", ""),
    "fsyncs": ("fsyncs", ""),
    "background_fsyncs": ("lazy fsyncs", ""),
    SERVER: ("CPU of the server", "ms"),
    SESSIONS: ("CPU of the database's sessions", "ms"),
}

Say = Callable[[str], None]
Counts = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured.

    Args:
        requests: of one call in one repeat.
        few: the counts over so many requests are taken from those over `many`.
    """

    repeats: int = 7
    requests: int = 300
    clients: int = 8
    few: int = 100
    many: int = 600


async def measure_api(servers: Servers, *, say: Say, effort: Effort | None = None) -> list[Figure]:
    """Measure authenticated reads by key, one of them audited, and a write with its records."""
    effort = effort or Effort()
    ours, peer = await both_sites(servers)
    say("timing requests")
    rates = await _rates(ours, peer, effort)
    say("counting statements, fsyncs and what is computed")
    own, their = [await _counts(site, effort) for site in (ours, peer)]
    return [*_rate_figures(rates), *_count_figures(own, their)]


async def _rates(ours: Site, peer: Site, effort: Effort) -> dict[str, tuple[float, float]]:
    """Return both medians by call; the two sites take turns, so that noise meets both."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in ours.calls}
    with ours.serve() as our_server, peer.serve() as their_server:
        for repeat in range(effort.repeats + 1):
            for name, found in seen.items():
                own = await _rate(our_server, ours.calls[name], effort)
                their = await _rate(their_server, peer.calls[name], effort)
                if repeat:  # the first only warms up
                    found.append((own, their))
    return {
        name: (median(own for own, _ in found), median(their for _, their in found))
        for name, found in seen.items()
    }


async def _rate(server: Server, call: Call, effort: Effort) -> float:
    return await requests_per_second(
        server.port, call, requests=effort.requests, clients=effort.clients
    )


async def _counts(site: Site, effort: Effort) -> dict[str, dict[str, float]]:
    await asyncio.to_thread(prepare_counters, site.stores_in)
    counted = {}
    for name, call in site.calls.items():
        few = await _served(site, call, effort.few)
        many = await _served(site, call, effort.many)
        counted[name] = per_turn(few, many, more_turns=effort.many - effort.few)
    return counted


async def _served(site: Site, call: Call, requests: int) -> dict[str, float]:
    before = await _counters(site)
    with site.serve() as server:
        idle = await asyncio.to_thread(read_computed, server.pid, site.stores_in)
        await requests_per_second(server.port, call, requests=requests, clients=1)
        busy = await asyncio.to_thread(read_computed, server.pid, site.stores_in)
    return _grown(before, await _counters(site)) | _grown(idle, busy)


async def _counters(site: Site) -> dict[str, float]:
    return (await asyncio.to_thread(read_counters, site.stores_in)).known()


def _grown(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after if name in before}


def _rate_figures(rates: Mapping[str, tuple[float, float]]) -> Iterator[Figure]:
    for name, (own, their) in rates.items():
        yield Figure(
            part=PART,
            name=f"{name}, requests per second",
            unit="/s",
            value=own,
            aim=_AIM,
            at_least=True,
            peer=PEER,
            peer_value=their,
        )


def _count_figures(own: Counts, their: Counts) -> Iterator[Figure]:
    for call, counts in own.items():
        for counter, (name, unit) in _COUNTERS.items():
            if counter in counts:
                yield Figure(
                    part=PART,
                    name=f"{call}, {name} a request by one client",
                    unit=unit,
                    value=counts[counter],
                    peer=PEER,
                    peer_value=their[call].get(counter),
                )
