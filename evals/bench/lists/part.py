"""How long every list and detail takes, one client, 100,000 students and a million activities."""

import time
from collections.abc import Callable
from urllib.parse import quote

import httpx

from api.bootstrap import Services, open_services
from api.demo.generator import generate
from evals.bench.figure import Figure
from evals.bench.lists.visitor import addresses, following_address, visitor
from evals.bench.statistics import percentile
from evals.bench.turn.subject import Servers

STUDENTS = 100_000
_SEED = 7
_REPEATS = 20
_WARM = 2
#: The slowest are named; the rest is told as one figure.
_NAMED = 15
_AIM_MS = 50.0
_NAMES = ("Ana", "Pérez", "valentina ramires", "Gomes", "Ana Pérez Gómez", "smith")


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
        times = await _times(services)
    return [
        Figure(part="lists", name=f"made up {students:,} students", unit="s", value=made_s),
        *_figures(times),
    ]


async def _times(services: Services) -> dict[str, list[float]]:
    async with visitor(services) as client:
        times: dict[str, list[float]] = {}
        wanted = await addresses(services)
        wanted += [f"/v1/{noun}?query={quote(n)}" for noun in ("people", "leads") for n in _NAMES]
        for address in wanted:
            times[address] = await _time(client, address)
            if following := following_address(address, await client.get(address)):
                times[f"{address} …"] = await _time(client, following)
        return times


async def _time(client: httpx.AsyncClient, address: str) -> list[float]:
    taken: list[float] = []
    for _ in range(_WARM + _REPEATS):
        began = time.perf_counter()
        answer = await client.get(address)
        taken.append((time.perf_counter() - began) * 1_000)
        if answer.status_code not in (200, 404):
            raise RuntimeError(f"{address} answered {answer.status_code}")
    return taken[_WARM:]


def _figures(times: dict[str, list[float]]) -> list[Figure]:
    slowest = sorted(times.items(), key=lambda entry: -percentile(entry[1], 95))
    within = sum(percentile(taken, 95) <= _AIM_MS for taken in times.values())
    note = f"{within} of {len(times)} addresses are within {_AIM_MS:g} ms"
    return [
        Figure(
            part="lists",
            name=f"GET {address}",
            unit="ms p95",
            value=percentile(taken, 95),
            aim=_AIM_MS,
            aim_on="value",
            note=f"p50 {percentile(taken, 50):.1f} ms; {note}",
        )
        for address, taken in slowest[:_NAMED]
    ]
