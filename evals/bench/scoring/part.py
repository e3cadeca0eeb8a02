"""Scores 100,000 leads from database to database, beside read + predict + COPY alone.

The floor reads the same facts with the same query, multiplies a matrix once, and copies ids and
scores into a table without any constraint: no explanation, no event, no record, no look at what
was there before.
"""

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from api.bootstrap import Services, open_services
from api.scoring import score_leads
from crm.pipeline.scoring.store import RECENT, facts_statement
from evals.bench.figure import Figure
from evals.bench.scoring import store
from evals.bench.turn.subject import Servers

_REPEATS = 5
_AIM_S = 5.0
_AIM_RATIO = 2.5


async def measure_scoring(servers: Servers, *, say: Callable[[str], None]) -> list[Figure]:
    """Return how long it takes when all are new, and when nothing has changed."""
    settings = servers.settings.model_copy(update={"embedder": "none"})
    async with open_services(settings) as services:
        say(f"making up {store.LEADS:,} leads and {store.ACTIVITIES:,} activities")
        async with services.database.transaction() as uow:
            await store.make_leads(uow.conn, now=services.clock.now())
        async with services.database.read() as conn:
            await store.settle(conn)
        say("scoring all of them")
        return await _measure(services)


async def _measure(services: Services) -> list[Figure]:
    new, same, floor = [], [], []
    for _ in range(_REPEATS + 1):  # interleaved; the first round is for the caches
        async with services.database.read() as conn:
            await store.forget_scores(conn)
        floor.append(await _floor(services))
        new.append(await _score(services))
        same.append(await _score(services))
    kept = slice(1, None)
    return [
        _figure("all leads are scored, every score new", new[kept], floor[kept]),
        _figure("all leads are scored again, nothing changed", same[kept], floor[kept]),
        Figure(
            part="scoring",
            name=f"{store.LEADS:,} leads, database to database",
            unit="s",
            value=median(new[kept]),
            aim=_AIM_S,
            aim_on="value",
        ),
    ]


def _figure(name: str, ours: list[float], floor: list[float]) -> Figure:
    return Figure(
        part="scoring",
        name=name,
        unit="s",
        value=median(ours),
        aim=_AIM_RATIO,
        peer="read + predict + COPY",
        peer_value=median(floor),
        note=f"median of {len(ours)}, {min(ours):.2f} to {max(ours):.2f} s",
    )


async def _score(services: Services) -> float:
    began = time.perf_counter()
    await score_leads(services, whole=True)
    return time.perf_counter() - began


async def _floor(services: Services) -> float:
    began = time.perf_counter()
    now = services.clock.now()
    async with services.database.transaction() as uow:
        asked = {"at": now, "recent": now - RECENT}
        rows = await store.read_as_floor(uow.conn, facts_statement(whole=True), asked)
        table = np.array([row[6:13] for row in rows], dtype=np.float64)
        raw = table @ np.linspace(-0.1, 0.1, table.shape[1])
        scores = np.rint(100 / (1 + np.exp(-raw))).astype(np.int16)
        lines = [f"{row[0]}\t{score}\n" for row, score in zip(rows, scores, strict=True)]
        await store.copy_as_floor(uow.conn, lines)
    return time.perf_counter() - began
