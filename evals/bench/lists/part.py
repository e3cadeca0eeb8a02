"""How long every list and detail takes, one client, 100,000 students and a million activities."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from api.bootstrap import Services, open_services
from api.demo.generator import generate
from evals.bench.computing import read_computed
from evals.bench.figure import Figure
from evals.bench.lists.visitor import addresses, following_address, visitor
from evals.bench.statistics import percentile
from evals.bench.turn.subject import Servers

STUDENTS = 100_000
_SEED = 7
_REPEATS = 20
_WARM = 2
#: The slowest are named; the rest is told as one figure.
_NAMED = 10
_AIM_MS = 50.0
_NAMES = ("Ana", "Pérez", "valentina ramires", "Gomes", "Ana Pérez Gómez", "smith")


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the answers of one address took.

    Args:
        ms: each of them.
        computed_ms: by this process, which asks itself, and by the database's sessions, an answer;
            a busy machine moves it less than it moves the time.
    """

    ms: tuple[float, ...]
    computed_ms: float

    @property
    def p95(self) -> float:
        """Return the 95th percentile of the times."""
        return percentile(self.ms, 95)


Timings = Mapping[str, Timing]


async def measure_lists(
    servers: Servers, *, say: Callable[[str], None], students: int = STUDENTS
) -> list[Figure]:
    """Return the slowest of all lists and details, and how all of them do."""
    settings = servers.settings.model_copy(update={"embedder": "none"})
    async with open_services(settings) as services:
        say(f"making up {students:,} students")
        began = time.perf_counter()
        await generate(services, students=students, seed=_SEED, report=lambda *_: None)
        made_s = time.perf_counter() - began
        say("reading every list and detail")
        timings = await time_addresses(services)
    return [
        Figure(part="lists", name=f"made up {students:,} students", unit="s", value=made_s),
        *figures_of(timings),
    ]


async def time_addresses(services: Services, *, repeats: int = _REPEATS) -> Timings:
    """Ask for every address again and again, and for the page after it."""
    async with visitor(services) as client:
        timings: dict[str, Timing] = {}
        wanted = await addresses(services)
        wanted += [f"/v1/{noun}?query={quote(n)}" for noun in ("people", "leads") for n in _NAMES]
        for address in wanted:
            timings[address] = await _time(client, address, services, repeats)
            if following := following_address(address, await client.get(address)):
                timings[f"{address} …"] = await _time(client, following, services, repeats)
        return timings


async def _time(
    client: httpx.AsyncClient, address: str, services: Services, repeats: int
) -> Timing:
    for _ in range(_WARM):
        await _ask(client, address)
    before = await _computed(services)
    taken = [await _ask(client, address) for _ in range(repeats)]
    return Timing(tuple(taken), (await _computed(services) - before) / repeats)


async def _ask(client: httpx.AsyncClient, address: str) -> float:
    began = time.perf_counter()
    answer = await client.get(address)
    taken = (time.perf_counter() - began) * 1_000
    if answer.status_code not in (200, 404):
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return taken


async def _computed(services: Services) -> float:
    url = services.settings.require_database_url()
    return sum((await asyncio.to_thread(read_computed, os.getpid(), url)).values())


def figures_of(timings: Timings) -> Iterator[Figure]:
    """Yield how many addresses hold, and the slowest."""
    within = sum(timing.p95 <= _AIM_MS for timing in timings.values())
    yield Figure(
        part="lists",
        name=f"addresses of {len(timings)} whose p95 is within {_AIM_MS:g} ms",
        unit="",
        value=within,
        aim=len(timings),
        aim_on="value",
        at_least=True,
    )
    yield Figure(
        part="lists",
        name=f"addresses of {len(timings)} that compute at most {_AIM_MS:g} ms an answer",
        unit="",
        value=sum(timing.computed_ms <= _AIM_MS for timing in timings.values()),
    )
    for address, timing in sorted(timings.items(), key=lambda entry: -entry[1].p95)[:_NAMED]:
        yield Figure(
            part="lists",
            name=f"GET {address} (p50 {percentile(timing.ms, 50):.0f} ms, "
            f"computed {timing.computed_ms:.0f} ms)",
            unit="ms p95",
            value=timing.p95,
            aim=_AIM_MS,
            aim_on="value",
        )
