"""What a request costs, beside a bare endpoint that does one statement and nothing else."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median
from typing import Any

from api.bootstrap import open_services
from api.embedded.deployment import environment_of
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from crm.ids import new_id
from crm.people.models import CreatePerson
from evals.bench.api import store
from evals.bench.api.bare import POOL_SIZE_VARIABLE, URL_VARIABLE
from evals.bench.api.load import Call, requests_per_second
from evals.bench.api.serving import uvicorn_of
from evals.bench.counters import prepare_counters, read_counters
from evals.bench.figure import Figure
from evals.bench.statistics import per_turn
from evals.bench.turn.subject import Servers

PART = "api"
PEER = "bare FastAPI + psycopg_pool"
#: Our requests per second as a share of the peer's.
_AIM = 0.6
_CONSENT = {"channel": "email", "purpose": "service", "granted": True, "text_version": "v1"}
_COUNTERS = {"statements": "statements", "fsyncs": "fsyncs", "background_fsyncs": "lazy fsyncs"}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured.

    Args:
        requests: of one call in one repeat.
        few: the counts over so many requests are taken from those over `many`.
    """

    repeats: int = 5
    requests: int = 200
    clients: int = 8
    few: int = 100
    many: int = 500


@dataclass(frozen=True, slots=True)
class _Site:
    """An application that can be served, and what is asked of it."""

    stores_in: str
    serve: Callable[[], AbstractContextManager[int]]
    calls: Mapping[str, Call]


async def measure_api(servers: Servers, *, say: Say, effort: Effort | None = None) -> list[Figure]:
    """Measure an authenticated, audited read by key and a write with its records."""
    effort = effort or Effort()
    ours, peer = await _ours(servers.settings), await _peer(servers)
    say("timing requests")
    rates = await _rates(ours, peer, effort)
    say("counting statements and fsyncs")
    own, their = [await _counts(site, effort) for site in (ours, peer)]
    return [*_rate_figures(rates), *_count_figures(own, their)]


async def _ours(settings: Settings) -> _Site:
    token, person_id = await _prepare(settings)
    environment = environment_of(settings) | {"ORIENTA_EMBEDDER": "none"}
    return _Site(
        settings.require_database_url(),
        lambda: uvicorn_of("api.app:create_app", environment),
        _calls(person_id, f"Authorization: Bearer {token}"),
    )


async def _prepare(settings: Settings) -> tuple[str, Any]:
    password = f"bench {new_id()}"
    async with open_services(settings.model_copy(update={"embedder": "none"})) as services:
        person = await services.people.create_person(
            CreatePerson(full_name="Eva Quispe"), actor=SERVICE_ACTOR
        )
        staff = await services.identity.create_staff(
            CreateStaff(
                email=f"{new_id()}@andino.example",
                name="Ana Rojas",
                role=Role.ADVISOR,
                password=password,
            ),
            actor=SERVICE_ACTOR,
        )
        login = await services.identity.login(staff.email, password)
    return login.access_token, person.id


async def _peer(servers: Servers) -> _Site:
    person_id = new_id()
    await asyncio.to_thread(store.create_tables, servers.peer_url, person_id)
    environment = {
        URL_VARIABLE: servers.peer_url,
        POOL_SIZE_VARIABLE: str(servers.settings.pool_size),
    }
    return _Site(
        servers.peer_url,
        lambda: uvicorn_of("evals.bench.api.bare:create_app", environment),
        _calls(person_id),
    )


def _calls(person_id: object, *headers: str) -> dict[str, Call]:
    path, body = f"/v1/people/{person_id}", json.dumps(_CONSENT).encode()
    return {
        "read by key": Call("GET", path, 200, headers),
        "write": Call("POST", f"{path}/consents", 201, headers, body, once=True),
    }


async def _rates(ours: _Site, peer: _Site, effort: Effort) -> dict[str, tuple[float, float]]:
    """Return both medians by call; the two sites take turns, so that noise meets both."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in ours.calls}
    with ours.serve() as our_port, peer.serve() as their_port:
        for repeat in range(effort.repeats + 1):
            for name, found in seen.items():
                own = await _rate(our_port, ours.calls[name], effort)
                their = await _rate(their_port, peer.calls[name], effort)
                if repeat:  # the first only warms up
                    found.append((own, their))
    return {
        name: (median(own for own, _ in found), median(their for _, their in found))
        for name, found in seen.items()
    }


async def _rate(port: int, call: Call, effort: Effort) -> float:
    return await requests_per_second(port, call, requests=effort.requests, clients=effort.clients)


async def _counts(site: _Site, effort: Effort) -> dict[str, dict[str, float]]:
    await asyncio.to_thread(prepare_counters, site.stores_in)
    counted = {}
    for name, call in site.calls.items():
        few = await _served(site, call, effort.few)
        many = await _served(site, call, effort.many)
        counted[name] = per_turn(few, many, more_turns=effort.many - effort.few)
    return counted


async def _served(site: _Site, call: Call, requests: int) -> dict[str, float]:
    before = (await asyncio.to_thread(read_counters, site.stores_in)).known()
    with site.serve() as port:
        await requests_per_second(port, call, requests=requests, clients=1)
    after = (await asyncio.to_thread(read_counters, site.stores_in)).known()
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


def _count_figures(
    own: Mapping[str, Mapping[str, float]], their: Mapping[str, Mapping[str, float]]
) -> Iterator[Figure]:
    for call, counts in own.items():
        for counter, name in _COUNTERS.items():
            if counter in counts:
                yield Figure(
                    part=PART,
                    name=f"{call}, {name} a request by one client",
                    unit="",
                    value=counts[counter],
                    peer=PEER,
                    peer_value=their[call].get(counter),
                )
