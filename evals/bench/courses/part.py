"""How long search with facets and completion take among 5,000 courses and 20,000 groups."""

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from api.bootstrap import Services, open_services
from crm.courses.offers.models import OfferFilters
from evals.bench.courses import store
from evals.bench.figure import Figure
from evals.bench.statistics import percentile
from evals.bench.turn.subject import Servers

_REPEATS = 25
_SUGGEST_MS = 30.0
_SEARCH_MS = 150.0

#: As people type: beginnings, middles, typos, no accents, both languages, words out of order.
TYPED = (
    "i",
    "in",
    "int",
    "intro",
    "introduccion a la prog",
    "introducion a la programasion",
    "fotogr",
    "fotografia digtal",
    "photograph",
    "advanced robot",
    "robotics advanced",
    "historia musica",
    "estadistica aplicda",
    "statistiks",
    "gestion de la loj",
    "contabiliad",
    "psicologia creativa nivel 3",
    "zz-48",
    "submarinos",
    "de la",
)
BROWSED: Mapping[str, OfferFilters] = {
    "everything": OfferFilters(),
    "an area with seats": OfferFilters(area="zz-a", with_seats=True),
    "online, cheap": OfferFilters(modality="online", price_max=100_000),
    "100 found by text": OfferFilters(codes=tuple(f"ZZ-{n}" for n in range(1, 4_001, 40))),
}


async def measure_courses(servers: Servers, *, say: Callable[[str], None]) -> list[Figure]:
    """Return how long looking around takes."""
    settings = servers.settings.model_copy(update={"embedder": "none"})
    async with open_services(settings) as services:
        say(f"making up {store.COURSES:,} courses and {store.GROUPS:,} groups")
        await fill(services)
        say("looking around")
        typed = [await _time(partial(services.offers.suggest, t)) for t in TYPED]
        figures = [
            _figure("completion while typing", [ms for times in typed for ms in times], _SUGGEST_MS)
        ]
        for name, filters in BROWSED.items():
            taken = await _time(partial(services.offers.search, filters))
            figures.append(_figure(f"search with facets: {name}", taken, _SEARCH_MS))
    return figures


async def fill(services: Services) -> None:
    """Make up the catalogue, as it lies on disk after a while."""
    async with services.database.transaction() as uow:
        await store.make_catalogue(uow.conn, now=services.clock.now())
    async with services.database.read() as conn:
        await store.vacuum(conn)


async def _time(ask: Callable[[], Awaitable[object]]) -> list[float]:
    taken = []
    for _ in range(_REPEATS + 1):
        began = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - began) * 1_000)
    return taken[1:]


def _figure(name: str, taken: list[float], aim: float) -> Figure:
    return Figure(
        part="courses",
        name=name,
        unit="ms p95",
        value=percentile(taken, 95),
        aim=aim,
        aim_on="value",
        note=f"p50 {percentile(taken, 50):.1f} ms",
    )
